import { describe, expect, it } from 'vitest';
import { seededRandom } from './random.js';

describe('seededRandom', () => {
  it('gives the same sequence for the same seed', () => {
    const [a, b] = [seededRandom(7), seededRandom(7)];
    for (let i = 0; i < 10; i++) expect(a.uniform()).toBe(b.uniform());
  });

  // Draws by seed take one number each: if neighbours resembled each other, all images would be of one kind.
  it.each([0, 1, 2, 3])('spreads number %i of consecutive seeds evenly over [0, 1)', (index) => {
    for (const first of [0, 2 ** 31, 2 ** 32 - 4000]) {
      const counts = new Array<number>(10).fill(0);
      for (let seed = first; seed < first + 4000; seed++) {
        const { uniform } = seededRandom(seed);
        for (let skipped = 0; skipped < index; skipped++) uniform();
        counts[Math.floor(uniform() * 10)]!++;
      }
      // Binomial, mean 400 and deviation 19: five deviations, 120 times.
      for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(95);
    }
  });

  it('has no tie between the first numbers of a seed', () => {
    const pairs = Array.from({ length: 4000 }, (_, seed) => {
      const { uniform } = seededRandom(seed);
      return [uniform() - 0.5, uniform() - 0.5] as const;
    });
    const correlation = (12 * pairs.reduce((sum, [a, b]) => sum + a * b, 0)) / pairs.length;
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(pairs.length)); // five deviations
  });
});
