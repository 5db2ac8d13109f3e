import { confidenceGap } from './confidence.js';
import { amongThese, jensenShannon } from './divergence.js';
import { pathDiscrepancy } from './reasoning.js';

/** What one model makes of the L-VLM's answer; what is not known is left out. */
export interface ModelSignals {
  /** Log-probability of the answer per character, nats. */
  readonly answer?: number | undefined;
  /** Log-probability of each of the L-VLM's n-best answers. */
  readonly nBest?: readonly number[] | undefined;
  /** Attention from the answer to the cells of a raster over the image; sums to 1. */
  readonly attention?: readonly number[] | undefined;
  /** Log-probability per character of each step of the L-VLM's rationale. */
  readonly rationale?: readonly number[] | undefined;
}

/** How two models differ on one sample, each measure in [0, 1]; what a signal is missing for is left out. */
export interface Discrepancies {
  /** 1 where the S-VLM's answer does not match, 0 where it does. */
  readonly answer: 0 | 1;
  /** Mean of the two below, or the one there is. */
  readonly confidence?: number;
  /** How much less sure the S-VLM is of the answer, see `confidenceGap`. */
  readonly answerGap?: number;
  /** Jensen-Shannon divergence over the n-best answers. */
  readonly nBest?: number;
  /** Jensen-Shannon divergence of the attention maps. */
  readonly attention?: number;
  /** Mean gap over the steps of the rationale. */
  readonly reasoning?: number;
  /** Index of the step at which the S-VLM parts. */
  readonly partsAt?: number;
}

/** Compares what two models make of one answer. Throws RangeError for lists of different lengths. */
export function discrepancies(teacher: ModelSignals, student: ModelSignals, answersMatch: boolean): Discrepancies {
  const answerGap = both(teacher.answer, student.answer, confidenceGap);
  const nBest = both(teacher.nBest, student.nBest, (t, s) =>
    t.length > 0 ? jensenShannon(amongThese(t), amongThese(s)) : undefined,
  );
  const path = both(teacher.rationale, student.rationale, pathDiscrepancy);
  return {
    answer: answersMatch ? 0 : 1,
    ...known({
      confidence: meanOf([answerGap, nBest]),
      answerGap,
      nBest,
      attention: both(teacher.attention, student.attention, jensenShannon),
      reasoning: path?.mean,
      partsAt: path?.partsAt,
    }),
  };
}

/** Mean over what is known of the four discrepancies: answer, confidence, attention, reasoning path. */
export function meanDiscrepancy({ answer, confidence, attention, reasoning }: Discrepancies): number {
  return meanOf([answer, confidence, attention, reasoning])!;
}

/** The same without the answer itself; undefined when nothing else is known. */
export function pathToAnswerDiscrepancy({ confidence, attention, reasoning }: Discrepancies): number | undefined {
  return meanOf([confidence, attention, reasoning]);
}

/** Weights of samples in the loss: `1 + alpha * mean discrepancy`, scaled to mean 1 over the set. */
export function sampleWeights(meanDiscrepancies: readonly number[], alpha: number): number[] {
  const weights = meanDiscrepancies.map((d) => 1 + alpha * d);
  const mean = weights.reduce((a, b) => a + b, 0) / weights.length;
  return weights.map((w) => w / mean);
}

function both<A, R>(teacher: A | undefined, student: A | undefined, compare: (t: A, s: A) => R): R | undefined {
  return teacher === undefined || student === undefined ? undefined : compare(teacher, student);
}

function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const present = values.filter((value) => value !== undefined);
  return present.length === 0 ? undefined : present.reduce((a, b) => a + b, 0) / present.length;
}

function known<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
