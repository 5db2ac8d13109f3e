import { seededRandom } from '@mpa/trainer';
import type { TrainOptions } from '@mpa/trainer';
import { DecisionStatus } from '@mpa/contracts';
import type { Decision } from '@mpa/contracts';

/** What a run gathered, and the true answers of its images. */
export interface Material {
  /** What the parity rule says of each annotation. */
  readonly decisions: readonly Decision[];
  /** One true question and answer for each image, as decisions to learn from. */
  readonly truth: readonly Decision[];
}

/** What a row adds to the cross-entropy. */
export type Terms = Partial<Pick<TrainOptions, 'confidence' | 'attention' | 'reasoning' | 'discrepancyWeight'>>;

/** A row of the ablation: what is learnt from, and by which loss. */
export interface Row {
  readonly key: string;
  readonly what: string;
  readonly decisions: (material: Material, seed: number) => readonly Decision[];
  readonly terms: Terms;
}

/** Coefficients of the terms in the rows that have them: what won on validation (docs/results.md). */
export const COEFFICIENTS = { confidence: 0.3, attention: 1, reasoning: 0.3 } as const;

const { confidence, attention, reasoning } = COEFFICIENTS;

/** The parity gap. */
export const selected = ({ decisions }: Pick<Material, 'decisions'>): Decision[] =>
  decisions.filter(({ status }) => status === DecisionStatus.SELECTED);

/** The parity gap, and what the S-VLM answers right already (`parity.rehearse: 1`). */
export const rehearsed = ({ decisions }: Pick<Material, 'decisions'>): Decision[] =>
  decisions
    .filter(({ status, cause }) => status === DecisionStatus.SELECTED || cause?.reason === 'student_agrees')
    .map(learnt);

/** Every annotation, whoever answers it right. */
export const all = ({ decisions }: Pick<Material, 'decisions'>): Decision[] => decisions.map(learnt);

/** The rows that differ in samples and loss alone; those with a procedure of their own are in `study.ts`. */
export const rows: readonly Row[] = [
  { key: 'b', what: 'all pseudo-labels, no selection', decisions: all, terms: {} },
  {
    key: 'c',
    what: 'as many as in d, drawn at random',
    decisions: (material, seed) => some(all(material), selected(material).length, seed),
    terms: {},
  },
  { key: 'd', what: 'parity selection (the paper)', decisions: selected, terms: {} },
  { key: 'e', what: 'd + confidence', decisions: selected, terms: { confidence } },
  { key: 'f', what: 'd + attention', decisions: selected, terms: { attention } },
  { key: 'g', what: 'd + reasoning path', decisions: selected, terms: { reasoning } },
  {
    key: 'h',
    what: 'd + all three, weighted',
    decisions: selected,
    terms: { confidence, attention, reasoning, discrepancyWeight: 1 },
  },
  { key: 'k', what: 'true labels (upper bound)', decisions: ({ truth }) => truth, terms: {} },
  { key: 'l', what: 'd + rehearsal', decisions: rehearsed, terms: {} },
  { key: 'm', what: 'd + rehearsal + reasoning path', decisions: rehearsed, terms: { reasoning } },
];

function learnt(decision: Decision): Decision {
  return { ...decision, status: DecisionStatus.SELECTED, weight: 1 };
}

function some(decisions: readonly Decision[], count: number, seed: number): Decision[] {
  const { uniform } = seededRandom(seed);
  return decisions
    .map((decision) => ({ decision, at: uniform() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ decision }) => decision);
}
