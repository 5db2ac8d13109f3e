import { seededRandom } from '@mpa/trainer';
import type { TrainOptions } from '@mpa/trainer';
import { create, DecisionSchema, DecisionStatus } from '@mpa/contracts';
import type { Annotation, Decision } from '@mpa/contracts';

/** What a run gathered, and the true answers of its images. */
export interface Material {
  readonly annotations: readonly Annotation[];
  readonly decisions: readonly Decision[];
  /** One true question and answer for each image, as decisions to learn from. */
  readonly truth: readonly Decision[];
}

/** A row of the ablation: what is learnt from, and by which loss. */
export interface Row {
  readonly key: string;
  readonly what: string;
  readonly decisions: (material: Material, seed: number) => readonly Decision[];
  readonly loss: Partial<Pick<TrainOptions, 'confidence' | 'attention' | 'reasoning' | 'discrepancyWeight'>>;
}

/** Coefficients of the terms in the rows that have them. */
export const COEFFICIENTS = { confidence: 0.3, attention: 1, reasoning: 0.3 } as const;

const { confidence, attention, reasoning } = COEFFICIENTS;
const selected = ({ decisions }: Material): readonly Decision[] => decisions.filter(isSelected);

/** The rows that differ in samples and loss alone; those with a procedure of their own are in `main.ts`. */
export const rows: readonly Row[] = [
  { key: 'b', what: 'all pseudo-labels', decisions: ({ annotations }) => all(annotations), loss: {} },
  {
    key: 'c',
    what: 'as many, drawn at random',
    decisions: (material, seed) => some(all(material.annotations), selected(material).length, seed),
    loss: {},
  },
  { key: 'd', what: 'parity selection (the paper)', decisions: selected, loss: {} },
  { key: 'e', what: 'd + confidence', decisions: selected, loss: { confidence } },
  { key: 'f', what: 'd + attention', decisions: selected, loss: { attention } },
  { key: 'g', what: 'd + reasoning path', decisions: selected, loss: { reasoning } },
  {
    key: 'h',
    what: 'd + all three, weighted',
    decisions: selected,
    loss: { confidence, attention, reasoning, discrepancyWeight: 1 },
  },
  { key: 'k', what: 'true labels (upper bound)', decisions: ({ truth }) => truth, loss: {} },
];

export function isSelected({ status }: Decision): boolean {
  return status === DecisionStatus.SELECTED;
}

/** Every annotation as something to learn from, whoever answers it right. */
function all(annotations: readonly Annotation[]): Decision[] {
  return annotations
    .filter(({ question }) => question !== '')
    .map(({ sampleId, runId, task, image, question, answer, selfCheck }) =>
      create(DecisionSchema, {
        ...{ sampleId, runId, task, question, answer, selfCheck },
        ...(image && { image }),
        status: DecisionStatus.SELECTED,
        weight: 1,
      }),
    );
}

function some(decisions: readonly Decision[], count: number, seed: number): Decision[] {
  const { uniform } = seededRandom(seed);
  return decisions
    .map((decision) => ({ decision, at: uniform() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ decision }) => decision);
}
