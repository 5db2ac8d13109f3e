import { describe, expect, it } from 'vitest';
import { learningRate } from './learning-rate.js';

describe('learningRate', () => {
  const options = { rate: 2, warmup: 4, steps: 12 };

  it('rises to its peak in the warm-up and falls to a hundredth of it along a cosine', () => {
    expect([0, 1, 2, 3, 4].map((done) => learningRate(done, options))).toEqual([0.5, 1, 1.5, 2, 2]);
    expect(learningRate(8, options)).toBeCloseTo(1.01, 12);
    expect(learningRate(12, options)).toBeCloseTo(0.02, 12);
  });

  it('starts at its peak without a warm-up', () => {
    expect(learningRate(0, { ...options, warmup: 0 })).toBe(2);
  });
});
