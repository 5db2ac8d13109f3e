import type { SelectionReason } from '@mpa/alignment';
import { taskName, type Decision } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import { measures, type Measure } from './measures.js';

/** How many samples have a discrepancy in each tenth of [0, 1], and their mean. */
export interface Histogram {
  readonly counts: readonly number[];
  readonly mean: number;
  readonly samples: number;
}

/** A kind of question: how often it was asked, and how often the S-VLM failed it. */
export interface QuestionKind {
  readonly task: string;
  /** The first words of the question. */
  readonly kind: string;
  readonly asked: number;
  /** Those that show the parity gap. */
  readonly gap: number;
}

/** Where the two models of a run differ, over all annotations that were decided about. */
export interface Analysis {
  readonly decided: number;
  /** Those that show the parity gap. */
  readonly gap: number;
  /** A measure that no sample has is absent. */
  readonly histograms: Partial<Readonly<Record<Measure, Histogram>>>;
  /** Most asked first. */
  readonly kinds: readonly QuestionKind[];
  /** Of the samples with a rationale: at which step (from 1) the S-VLM parts, or `never`. */
  readonly partsAt: Readonly<Record<string, number>>;
}

const BINS = 10;
/** Words of a question that make its kind. */
const WORDS = 2;

/** Counts where the models of a run differ, decision by decision. Memory does not grow with their number. */
export class AnalysisTally {
  readonly #bins = new Map<Measure, { counts: number[]; sum: number; samples: number }>();
  readonly #kinds = new Map<string, QuestionKind>();
  readonly #partsAt: Record<string, number> = {};
  #decided = 0;
  #gap = 0;

  add(decision: Decision): void {
    const one = showsGap(decision) ? 1 : 0;
    this.#decided++;
    this.#gap += one;
    const [task, kind] = [taskName(decision.task), kindOf(decision.question)];
    const sum = this.#kinds.get(`${task} ${kind}`) ?? { task, kind, asked: 0, gap: 0 };
    this.#kinds.set(`${task} ${kind}`, { ...sum, asked: sum.asked + 1, gap: sum.gap + one });
    for (const measure of measures) {
      const value = decision.discrepancies?.[measure];
      if (value === undefined) continue;
      const bin = this.#bins.get(measure) ?? { counts: Array<number>(BINS).fill(0), sum: 0, samples: 0 };
      bin.counts[Math.min(BINS - 1, Math.floor(value * BINS))]!++;
      this.#bins.set(measure, { ...bin, sum: bin.sum + value, samples: bin.samples + 1 });
    }
    if (decision.discrepancies?.reasoning === undefined) return;
    const step = decision.discrepancies.partsAt === undefined ? 'never' : String(decision.discrepancies.partsAt + 1);
    this.#partsAt[step] = (this.#partsAt[step] ?? 0) + 1;
  }

  /** @param most kinds of questions at most, the most asked */
  result(most = Infinity): Analysis {
    const histograms = [...this.#bins].map(([measure, { counts, sum, samples }]) => [
      measure,
      { counts, samples, mean: sum / samples },
    ]);
    return {
      decided: this.#decided,
      gap: this.#gap,
      histograms: Object.fromEntries(histograms) as Analysis['histograms'],
      kinds: [...this.#kinds.values()].sort((a, b) => b.asked - a.asked).slice(0, most),
      partsAt: this.#partsAt,
    };
  }
}

/** Counts where the models of a run differ, in one pass over its decisions. */
export async function analyzeDecisions(streams: Streams): Promise<Analysis> {
  const tally = new AnalysisTally();
  for await (const decision of decisionsOf(streams)) tally.add(decision);
  return tally.result();
}

/** Whether the S-VLM was wrong where the L-VLM stands by its answer: other samples are selected so that it does not forget. */
export function showsGap({ cause }: Pick<Decision, 'cause'>): boolean {
  return cause?.reason === ('student_differs' satisfies SelectionReason);
}

/** The decisions of a log in order. */
export async function* decisionsOf(streams: Streams): AsyncGenerator<Decision> {
  for await (const { message } of topics.decisions.read(streams)) yield message;
}

function kindOf(question: string): string {
  return question.toLowerCase().split(/\s+/).slice(0, WORDS).join(' ');
}
