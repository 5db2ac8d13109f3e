import { expect, it } from 'vitest';
import type { Qwen25VisionConfig } from './config.js';
import { windowsOf } from './windows.js';

const windows = (rows: number, columns: number, windowSide: number, mergeSize: number): number[][] => {
  const { data, shape } = windowsOf({ windowSide, mergeSize } as Qwen25VisionConfig, { rows, columns });
  const size = shape[2]!;
  expect(shape).toEqual([1, data.length / size, size]);
  return Array.from({ length: data.length / size }, (_, i) => [...data.subarray(i * size, (i + 1) * size)]);
};

it('cuts an image into squares of tokens, those at the edges smaller', () => {
  expect(windows(3, 5, 2, 1)).toEqual([
    [0, 1, 5, 6],
    [2, 3, 7, 8],
    [4, 9, -1, -1],
    [10, 11, -1, -1],
    [12, 13, -1, -1],
    [14, -1, -1, -1],
  ]);
});

it('takes all patches of a token, and no more room than the largest window needs', () => {
  expect(windows(1, 3, 2, 2)).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9, 10, 11, -1, -1, -1, -1],
  ]);
  expect(windows(2, 2, 8, 1)).toEqual([[0, 1, 2, 3]]);
});
