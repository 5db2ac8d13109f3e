import { describe, expect, it } from 'vitest';
import { sampleAt } from './training-source.js';

const epoch = (number: number, size: number, seed: number): number[] =>
  Array.from({ length: size }, (_, i) => sampleAt(number * size + i, size, seed));

describe('the order of samples', () => {
  it.each([1, 2, 3, 7, 64, 1000])('has each of %i samples once per epoch', (size) => {
    for (const number of [0, 1, 5]) {
      expect(epoch(number, size, 3).sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
    }
  });

  it('is another one in every epoch and for every seed', () => {
    expect(epoch(1, 50, 3)).not.toEqual(epoch(0, 50, 3));
    expect(epoch(0, 50, 4)).not.toEqual(epoch(0, 50, 3));
  });
});
