/** Two-sided 97.5 % quantiles of Student's t by degrees of freedom, from 1. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/** Mean of some runs and half the width of its 95 % interval (Student's t). Takes 2 to 10 values. */
export function meanAndInterval(values: readonly number[]): { mean: number; half: number } {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1);
  return { mean, half: T[n - 2]! * Math.sqrt(variance / n) };
}

/** Probability that a value of `high` is above one of `low`, ties counting half (area under the ROC curve, Mann-Whitney). */
export function aboveProbability(high: readonly number[], low: readonly number[]): number {
  let above = 0;
  for (const a of high) for (const b of low) above += a > b ? 1 : a === b ? 0.5 : 0;
  return above / (high.length * low.length);
}
