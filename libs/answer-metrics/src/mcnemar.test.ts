import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mcNemar } from './mcnemar.js';
import { MetricError } from './metric-error.js';

function split(onlyFirst: number, onlySecond: number, both: number) {
  const times = (count: number, right: boolean): boolean[] => Array.from({ length: count }, () => right);
  const first = [...times(onlyFirst, true), ...times(onlySecond, false), ...times(both, true)];
  const second = [...times(onlyFirst, false), ...times(onlySecond, true), ...times(both, true)];
  return mcNemar(first, second);
}

describe("McNemar's test", () => {
  it('gives the binomial tails, worked out by hand', () => {
    expect(split(1, 9, 50).p).toBeCloseTo((2 * (1 + 10)) / 2 ** 10, 12);
    expect(split(9, 1, 0).p).toBeCloseTo((2 * (1 + 10)) / 2 ** 10, 12);
    expect(split(0, 5, 3).p).toBeCloseTo(2 / 2 ** 5, 12);
    expect(split(3, 3, 1)).toEqual({ onlyFirst: 3, onlySecond: 3, p: 1 });
    expect(split(0, 0, 8).p).toBe(1);
    // Far tails neither overflow nor vanish: 2^-1999.
    expect(split(0, 1000, 0).p).toBeGreaterThan(0);
  });

  it('is a probability, the same for both orders', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean())), (pairs) => {
        const [a, b] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
        const { p } = mcNemar(a, b);
        return p >= 0 && p <= 1 && p === mcNemar(b, a).p;
      }),
    );
  });

  it('refuses answers to different questions', () => {
    expect(() => mcNemar([true], [])).toThrow(MetricError);
  });
});
