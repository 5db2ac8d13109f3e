import { describe, expect, it } from 'vitest';
import { multimodalRotary, plainRotary } from './rotary.js';
import { tokenPositions } from './token-positions.js';

const IMAGE = 9;
const threeAxes = { imageTokenId: IMAGE, textRotary: multimodalRotary(1e4, 8, [2, 1, 1]) };
const oneAxis = { imageTokenId: IMAGE, textRotary: plainRotary(1e4, 8) };

/** [T, 3] as rows. */
const rows = (positions: Int32Array): number[][] =>
  Array.from({ length: positions.length / 3 }, (_, i) => [...positions.subarray(3 * i, 3 * i + 3)]);

describe('tokenPositions', () => {
  it('gives an image one time, its rows and columns, and goes on beyond its longer side', () => {
    const ids = Int32Array.of(1, IMAGE, IMAGE, IMAGE, IMAGE, IMAGE, IMAGE, 2, 3);
    const { positions, next } = tokenPositions(threeAxes, ids, [{ grid: { rows: 2, columns: 3 } }]);
    expect(rows(positions)).toEqual([
      [0, 0, 0],
      ...[0, 1].flatMap((row) => [0, 1, 2].map((column) => [1, 1 + row, 1 + column])),
      [4, 4, 4],
      [5, 5, 5],
    ]);
    expect(next).toBe(6);
  });

  it('takes the grids of several images in turn, with or without text between them', () => {
    const ids = Int32Array.of(IMAGE, IMAGE, 1, IMAGE, IMAGE, IMAGE, 2);
    const grids = [{ rows: 2, columns: 1 }, { rows: 1, columns: 1 }, { rows: 1, columns: 2 }]; // prettier-ignore
    const { positions, next } = tokenPositions(threeAxes, ids, grids.map((grid) => ({ grid }))); // prettier-ignore
    expect(rows(positions)).toEqual([
      [0, 0, 0],
      [0, 1, 0],
      [2, 2, 2],
      [3, 3, 3],
      [4, 4, 4],
      [4, 4, 5],
      [6, 6, 6],
    ]);
    expect(next).toBe(7);
  });

  it('lets every continuation go on from the end of the shared beginning', () => {
    const ids = Int32Array.of(IMAGE, IMAGE, IMAGE, 1, 2, 3, 4);
    const segments = Int32Array.of(0, 0, 0, 0, 1, 1, 2);
    const { positions } = tokenPositions(threeAxes, ids, [{ grid: { rows: 1, columns: 3 } }], segments);
    expect(rows(positions).slice(3)).toEqual([3, 4, 5, 4].map((at) => [at, at, at]));
  });

  it('counts tokens where they have one position', () => {
    const ids = Int32Array.of(1, IMAGE, IMAGE, 2, 3, 4);
    expect([...tokenPositions(oneAxis, ids, [{}]).positions]).toEqual([0, 1, 2, 3, 4, 5]);
    const segments = Int32Array.of(0, 0, 0, 1, 1, 2);
    expect([...tokenPositions(oneAxis, ids, [{}], segments).positions]).toEqual([0, 1, 2, 3, 4, 3]);
  });
});
