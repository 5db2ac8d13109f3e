import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaShares, attentionMap, type Region } from './attention-map.js';
import { confidenceGap, perCharacter } from './confidence.js';
import { discrepancies, meanDiscrepancy, pathToAnswerDiscrepancy, sampleWeights, type ModelSignals } from './discrepancies.js'; // prettier-ignore
import { amongThese, jensenShannon, normalised } from './divergence.js';
import { pathDiscrepancy } from './reasoning.js';

const logProbability = fc.double({ min: -200, max: 0, noNaN: true });
const weights = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: length, maxLength: length });
const maps = fc.integer({ min: 1, max: 30 }).chain((n) => fc.tuple(weights(n), weights(n)));
const signals = fc.integer({ min: 1, max: 6 }).chain((n): fc.Arbitrary<ModelSignals> => {
  const list = fc.array(logProbability, { minLength: n, maxLength: n });
  return fc.record(
    { answer: logProbability, nBest: list, attention: weights(n).map(normalised), rationale: list },
    { requiredKeys: [] },
  );
});

describe('divergence', () => {
  it('of distributions is in [0, 1], symmetric, and 0 for equal ones', () => {
    fc.assert(
      fc.property(maps, ([a, b]) => {
        const [p, q] = [normalised(a), normalised(b)];
        const d = jensenShannon(p, q);
        expect(d).toBeGreaterThanOrEqual(0);
        expect(d).toBeLessThanOrEqual(1);
        expect(jensenShannon(q, p)).toBeCloseTo(d, 12);
        expect(jensenShannon(p, p)).toBeCloseTo(0, 12);
      }),
    );
  });

  it('is 1 without a common outcome, and half for half of one in common', () => {
    expect(jensenShannon([1, 0], [0, 1])).toBeCloseTo(1, 12);
    // (1/2, 1/2, 0) against (1/2, 0, 1/2): the two outcomes apart carry half of each.
    expect(jensenShannon([0.5, 0.5, 0], [0.5, 0, 0.5])).toBeCloseTo(0.5, 12);
  });

  it('among alternatives does not change when all become less likely by one factor', () => {
    fc.assert(
      fc.property(fc.array(logProbability, { minLength: 1, maxLength: 8 }), logProbability, (all, shift) => {
        const [p, q] = [amongThese(all), amongThese(all.map((one) => one + shift))];
        p.forEach((value, i) => expect(q[i]).toBeCloseTo(value, 9));
        expect(p.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      }),
    );
    expect(amongThese([-Infinity, -Infinity])).toEqual([0.5, 0.5]);
  });

  it('refuses what is no distribution', () => {
    expect(() => jensenShannon([1], [0.5, 0.5])).toThrow(RangeError);
    expect(() => normalised([])).toThrow(RangeError);
    expect(() => normalised([1, -1])).toThrow(RangeError);
  });
});

describe('confidence', () => {
  it('gap is in [0, 1], 0 for equal models and surer students, and grows with the gap', () => {
    fc.assert(
      fc.property(logProbability, logProbability, (teacher, student) => {
        const gap = confidenceGap(teacher, student);
        expect(gap).toBeGreaterThanOrEqual(0);
        expect(gap).toBeLessThanOrEqual(1);
        if (student >= teacher) expect(gap).toBe(0);
        expect(confidenceGap(teacher, student - 1)).toBeGreaterThanOrEqual(gap);
      }),
    );
    expect(confidenceGap(0, -Math.LN2)).toBeCloseTo(0.5, 12);
  });

  it('per character does not ask how a text was cut into tokens', () => {
    const cuts = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .chain((text) =>
        fc.tuple(fc.constant(text), fc.array(logProbability, { minLength: 1, maxLength: 9 }), logProbability),
      );
    fc.assert(
      fc.property(cuts, ([text, parts, rest]) => {
        const total = parts.reduce((a, b) => a + b, 0) + rest;
        const asTwo = perCharacter(total - rest, text) + perCharacter(rest, text);
        expect(asTwo).toBeCloseTo(perCharacter(total, text), 9);
      }),
    );
    expect(perCharacter(-6, 'été')).toBe(-2);
    expect(perCharacter(-6, '')).toBe(-6);
  });
});

describe('attention over the image', () => {
  const tiled = (rows: number, columns: number): Region[] =>
    Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return { left: column / columns, right: (column + 1) / columns, top: row / rows, bottom: (row + 1) / rows };
    });

  it('keeps all attention, and is flat where attention is flat', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 8 }), (rows, columns, grid) => {
        const regions = tiled(rows, columns);
        const shares = areaShares(regions, grid);
        for (let i = 0; i < regions.length; i++) {
          const row = shares.subarray(i * grid * grid, (i + 1) * grid * grid);
          expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5); // float32 sums
        }
        for (const cell of attentionMap(regions.map(() => 0.1), shares)) expect(cell).toBeCloseTo(1 / grid ** 2, 5);
      }),
    ); // prettier-ignore
  });

  it('is the same for two rasters of patches over the same spot', () => {
    // All attention on the upper left quarter, as one patch of 2 x 2 and as four of 4 x 4.
    const coarse = attentionMap([1, 0, 0, 0], areaShares(tiled(2, 2), 8));
    const fine = attentionMap(
      Array.from({ length: 16 }, (_, i) => ([0, 1, 4, 5].includes(i) ? 0.25 : 0)),
      areaShares(tiled(4, 4), 8),
    );
    expect(jensenShannon(coarse, fine)).toBeCloseTo(0, 6);
    expect(coarse[0]).toBeCloseTo(1 / 16, 6);
    expect(coarse[4]).toBe(0);
  });

  it('refuses a region outside the image', () => {
    expect(() => areaShares([{ left: 1, right: 1.5, top: 0, bottom: 1 }], 4)).toThrow(RangeError);
  });
});

describe('reasoning path', () => {
  it('says where the S-VLM parts: at less than half the likelihood per character', () => {
    expect(pathDiscrepancy([-0.1, -0.1, -0.1], [-0.1, -0.6, -3])).toMatchObject({ partsAt: 2 });
    expect(pathDiscrepancy([-0.1, -0.1], [-0.1, -0.9])).toMatchObject({ partsAt: 1 });
    expect(pathDiscrepancy([-0.5], [-0.1])).toEqual({ gaps: [0], mean: 0, partsAt: undefined });
    expect(pathDiscrepancy([], [])).toBeUndefined();
    expect(() => pathDiscrepancy([-1], [])).toThrow(RangeError);
  });
});

describe('discrepancies', () => {
  it('are in [0, 1] whatever is known, and nothing is said of what is not', () => {
    fc.assert(
      fc.property(signals, signals, fc.boolean(), (teacher, student, match) => {
        const same = (a?: readonly number[], b?: readonly number[]): boolean => !a || !b || a.length === b.length;
        fc.pre(same(teacher.nBest, student.nBest) && same(teacher.attention, student.attention) && same(teacher.rationale, student.rationale)); // prettier-ignore
        const found = discrepancies(teacher, student, match);
        for (const [name, value] of Object.entries(found)) {
          if (name === 'partsAt') continue;
          expect([name, value >= 0 && value <= 1]).toEqual([name, true]);
        }
        expect('attention' in found).toBe(teacher.attention !== undefined && student.attention !== undefined);
        expect(meanDiscrepancy(found)).toBeLessThanOrEqual(1);
        expect(pathToAnswerDiscrepancy(found) === undefined).toBe(Object.keys(found).length === 1);
      }),
    );
  });

  it('are 0 for equal models that answer alike', () => {
    fc.assert(
      fc.property(signals, (model) => {
        expect(meanDiscrepancy(discrepancies(model, model, true))).toBeCloseTo(0, 9);
      }),
    );
  });

  it('weigh samples around a mean of 1, alike when alpha is 0', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), fc.double({ min: 0, max: 9, noNaN: true }), (all, alpha) => {
        const found = sampleWeights(all, alpha);
        expect(found.reduce((a, b) => a + b, 0) / all.length).toBeCloseTo(1, 9);
        if (alpha === 0) expect(found.every((w) => w === 1)).toBe(true);
        found.forEach((weight, i) => found.forEach((other, j) => {
          if (all[i]! > all[j]!) expect(weight).toBeGreaterThanOrEqual(other);
        }));
      }),
    ); // prettier-ignore
  });
});
