import { MetricError } from './metric-error.js';

/** Two models' right and wrong answers to the same questions. */
export interface McNemar {
  /** Questions that only the first model got right, and those that only the second did. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Probability of a split at least as uneven if neither were better: two-sided, exact (binomial). */
  readonly p: number;
}

/**
 * McNemar's exact test (McNemar 1947) of whether two models are right equally often on the same questions.
 *
 * @throws MetricError for lists of different lengths.
 */
export function mcNemar(first: readonly boolean[], second: readonly boolean[]): McNemar {
  if (first.length !== second.length) {
    throw new MetricError(`McNemar's test needs the same questions, got ${first.length} and ${second.length}`);
  }
  const onlyFirst = first.filter((right, i) => right && !second[i]).length;
  const onlySecond = second.filter((right, i) => right && !first[i]).length;
  return { onlyFirst, onlySecond, p: twoSidedBinomial(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond) };
}

/** Probability of at most `k` or at least `n - k` heads of `n` fair coins; `k` is at most n / 2. */
function twoSidedBinomial(k: number, n: number): number {
  let logTerm = -n * Math.LN2; // of C(n, 0) / 2^n
  let sum = 0;
  for (let i = 0; i <= k; i++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log((n - i) / (i + 1));
  }
  return Math.min(1, 2 * sum);
}
