import { MetricError } from './metric-error.js';

/** How a bootstrap draws. */
export interface BootstrapOptions {
  /** Seed of the draws, a 32-bit integer: equal seeds give equal intervals. */
  readonly seed?: number;
  /** Number of samples drawn with replacement. */
  readonly resamples?: number;
  /** Share of resampled means inside the interval, in (0, 1). */
  readonly level?: number;
}

/** Arithmetic mean. @throws MetricError without scores. */
export function mean(scores: readonly number[]): number {
  if (scores.length === 0) throw new MetricError('the mean of no scores is not defined; score at least one prediction');
  return scores.reduce((sum, value) => sum + value, 0) / scores.length;
}

/**
 * Percentile bootstrap interval of the mean score (Efron 1979).
 *
 * @throws MetricError without scores, or for a level or number of resamples out of range.
 */
export function bootstrapInterval(
  scores: readonly number[],
  { seed = 0, resamples = 1000, level = 0.95 }: BootstrapOptions = {},
): { readonly low: number; readonly high: number } {
  if (scores.length === 0) throw new MetricError('a bootstrap interval needs at least one score, got none');
  if (!(level > 0 && level < 1)) throw new MetricError(`level must be between 0 and 1, got ${level}`);
  if (!Number.isInteger(resamples) || resamples < 1) {
    throw new MetricError(`resamples must be a positive integer, got ${resamples}`);
  }
  const random = mulberry32(seed);
  const means = new Float64Array(resamples).map(() => {
    let sum = 0;
    for (let draw = 0; draw < scores.length; draw++) sum += scores[Math.floor(random() * scores.length)]!;
    return sum / scores.length;
  });
  means.sort();
  const tail = (1 - level) / 2;
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

// Linear between the two nearest order statistics.
function quantile(sorted: Float64Array, probability: number): number {
  const position = probability * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  return below + (sorted[Math.ceil(position)]! - below) * (position % 1);
}

// Tommy Ettinger's 32-bit generator: uniform in [0, 1).
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
