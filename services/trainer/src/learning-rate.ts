/** Linear warm-up from zero, then a cosine down to a share of the peak. */
export interface LearningRateOptions {
  /** Peak rate. */
  readonly rate: number;
  /** Steps of the warm-up. */
  readonly warmup: number;
  /** Steps in all. */
  readonly steps: number;
  /** What the cosine ends with, as a share of the peak: a hundredth if left out. */
  readonly end?: number;
}

/** Learning rate of the step after `done` steps. */
export function learningRate(done: number, { rate, warmup, steps, end = 0.01 }: LearningRateOptions): number {
  if (done < warmup) return (rate * (done + 1)) / warmup;
  const progress = Math.min(1, (done - warmup) / Math.max(1, steps - warmup));
  return rate * (end + (1 - end) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
