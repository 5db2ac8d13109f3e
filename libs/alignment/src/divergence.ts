/** Weights [n] as a distribution: scaled to sum to 1; uniform when all are 0. Throws RangeError for a negative weight or NaN. */
export function normalised(weights: ArrayLike<number>): number[] {
  const all = Array.from(weights);
  if (all.length === 0 || all.some((w) => !(w >= 0))) throw new RangeError('weights must be numbers of 0 or more');
  const largest = Math.max(...all);
  if (largest === 0) return all.map(() => 1 / all.length);
  const scaled = all.map((w) => w / largest); // so that the sum of many small or large weights stays finite
  const sum = scaled.reduce((a, b) => a + b, 0);
  return scaled.map((w) => w / sum);
}

/** Log-probabilities [n] of alternatives as a distribution over just these: softmax. */
export function amongThese(logProbabilities: readonly number[]): number[] {
  if (logProbabilities.length === 0) return [];
  const largest = Math.max(...logProbabilities);
  if (largest === -Infinity) return normalised(logProbabilities.map(() => 1));
  return normalised(logProbabilities.map((p) => Math.exp(p - largest)));
}

/**
 * Jensen-Shannon divergence of two distributions [n], divided by ln 2: 0 for equal ones, 1 for those without a common
 * outcome; symmetric. Source: Lin 1991, doi 10.1109/18.61115. Throws RangeError for different lengths.
 */
export function jensenShannon(p: ArrayLike<number>, q: ArrayLike<number>): number {
  if (p.length !== q.length) throw new RangeError(`distributions over ${p.length} and ${q.length} outcomes`);
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const [a, b] = [p[i]!, q[i]!];
    const middle = (a + b) / 2;
    if (a > 0) sum += a * Math.log(a / middle);
    if (b > 0) sum += b * Math.log(b / middle);
  }
  return Math.min(1, Math.max(0, sum / 2 / Math.LN2));
}
