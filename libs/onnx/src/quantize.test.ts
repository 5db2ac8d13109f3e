import { describe, expect, it } from 'vitest';
import { quantizeBlocks } from './quantize-blocks.js';
import { quantizeRows } from './quantize-rows.js';

const matrix = Float32Array.from({ length: 3 * 70 }, (_, i) => Math.sin(i * i) * (i < 70 ? 0.01 : 5));

describe.each([4, 8] as const)('blocks of %i bits', (bits) => {
  it('stand for each value to within a step', () => {
    const { values, scales } = quantizeBlocks(matrix, 70, bits, 32);
    expect([values.length, scales.length]).toEqual([(3 * 96 * bits) / 8, 9]);
    const level = (index: number): number =>
      bits === 8 ? values[index]! - 128 : ((values[index >> 1]! >> (4 * (index % 2))) & 15) - 8;
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 96; column++) {
        const scale = scales[row * 3 + Math.floor(column / 32)]!;
        const value = level(row * 96 + column) * scale;
        const expected = column < 70 ? matrix[row * 70 + column]! : 0;
        // The end of the range opposite to the extreme is one step short.
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(Math.abs(scale) * 1.0001);
      }
    }
  });

  it('keep zeros', () => {
    const { values, scales } = quantizeBlocks(new Float32Array(32), 32, bits, 32);
    expect(Math.abs(scales[0]!)).toBe(0);
    expect(new Set(values)).toEqual(new Set([bits === 8 ? 128 : 0x88]));
  });
});

it('rows of 8 bits stand for each value to within half a step, transposed', () => {
  const { values, scales } = quantizeRows(matrix, 70);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 70; column++) {
      const value = values[column * 3 + row]! * scales[row]!;
      expect(Math.abs(value - matrix[row * 70 + column]!)).toBeLessThanOrEqual(scales[row]! * 0.5001);
    }
  }
  expect([...quantizeRows(new Float32Array(2), 2).values]).toEqual([0, 0]);
});
