import { expect, test } from 'vitest';
import { bootstrapInterval, mean } from './bootstrap-interval.js';
import { MetricError } from './metric-error.js';

const scores = Array.from({ length: 400 }, (_, index) => (index % 4 === 0 ? 1 : 0));

test('agrees with the normal approximation for a proportion', () => {
  const { low, high } = bootstrapInterval(scores, { seed: 7, resamples: 4000, level: 0.95 });
  const halfWidth = 1.96 * Math.sqrt((0.25 * 0.75) / scores.length);
  // 0.005: two steps of 1/400, the resolution of a mean of 400 zeros and ones.
  expect(Math.abs(low - (0.25 - halfWidth))).toBeLessThan(0.005);
  expect(Math.abs(high - (0.25 + halfWidth))).toBeLessThan(0.005);
});

test('a higher level is a wider interval around the mean', () => {
  const [narrow, wide] = [0.5, 0.99].map((level) => bootstrapInterval(scores, { level }));
  expect(wide!.low).toBeLessThan(narrow!.low);
  expect(narrow!.low).toBeLessThan(mean(scores));
  expect(mean(scores)).toBeLessThan(narrow!.high);
  expect(narrow!.high).toBeLessThan(wide!.high);
});

test('the seed fixes the draws', () => {
  expect(bootstrapInterval(scores, { seed: 1 })).toEqual(bootstrapInterval(scores, { seed: 1 }));
  expect(bootstrapInterval(scores, { seed: 1 })).not.toEqual(bootstrapInterval(scores, { seed: 2 }));
});

test('equal scores leave no width', () => {
  expect(bootstrapInterval([0.3, 0.3, 0.3]).low).toBeCloseTo(0.3, 12);
  expect(bootstrapInterval([1])).toEqual({ low: 1, high: 1 });
});

test('refuses what has no interval', () => {
  expect(() => bootstrapInterval([])).toThrow(MetricError);
  expect(() => mean([])).toThrow(MetricError);
  expect(() => bootstrapInterval([1], { level: 1 })).toThrow(/level/);
  expect(() => bootstrapInterval([1], { resamples: 0 })).toThrow(/resamples/);
});
