import { describe, expect, it } from 'vitest';
import { narrow, widen } from './float-formats.js';

const bitsOf = (value: number, dtype: 'F16' | 'BF16'): number =>
  new Uint16Array(narrow(Float32Array.of(value), dtype).buffer)[0]!;

describe('narrow', () => {
  // IEEE 754 binary16: largest finite, smallest subnormal, ties to even either way.
  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [3 * 2 ** -25, 0x0002],
    [2 ** -14 - 2 ** -25, 0x0400],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
    [-0, 0x8000],
    [Infinity, 0x7c00],
    [NaN, 0x7e00],
  ])('rounds %d to float16', (value, bits) => expect(bitsOf(value, 'F16')).toBe(bits));

  it.each([
    [1, 0x3f80],
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [-Infinity, 0xff80],
    [NaN, 0x7fc0],
  ])('rounds %d to bfloat16', (value, bits) => expect(bitsOf(value, 'BF16')).toBe(bits));

  it.each([
    ['F16', 65520],
    ['BF16', 3.4028234663852886e38],
  ] as const)('refuses what %s cannot hold', (dtype, value) => {
    expect(() => narrow(Float32Array.of(value), dtype)).toThrow(RangeError);
  });
});

describe('widen', () => {
  it.each(['F16', 'BF16'] as const)('gives back every finite %s', (dtype) => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = widen(all.slice().buffer, dtype);
    const finite = all.filter((i) => Number.isFinite(values[i]));
    expect(
      new Uint16Array(
        narrow(
          Float32Array.from(finite, (i) => values[i]!),
          dtype,
        ).buffer,
      ),
    ).toEqual(finite);
  });
});
