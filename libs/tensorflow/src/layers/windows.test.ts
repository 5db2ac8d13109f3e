import { beforeAll, expect, it } from 'vitest';
import { loadTensorflow } from '../load.js';
import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';
import { intoWindows, outOfWindows, windowsOf } from './windows.js';

beforeAll(() => loadTensorflow({ backend: 'native' }));

/** Two views of three patches, in a window of two and one of one. */
const views = { data: Int32Array.of(2, 0, 1, -1, 2, 0, 1, -1), shape: [2, 2, 2] };
const x = [
  [[1], [2], [3]],
  [[4], [5], [6]],
];

it('gathers the patches of each window, zeros where one is missing, and puts them back', () => {
  const windows = windowsOf(views, 3);
  const gathered = intoWindows(tf.tensor3d(x), windows);
  expect(gathered.arraySync()).toEqual([
    [[3], [1]],
    [[2], [0]],
    [[6], [4]],
    [[5], [0]],
  ]);
  expect(windows.mask.dataSync().map((value) => (value < 0 ? 1 : 0))).toEqual(Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1));
  expect(outOfWindows(gathered, windows, [2, 3, 1]).arraySync()).toEqual(x);
});

it('sends the gradient back the way the patches came', () => {
  const windows = windowsOf(views, 3);
  const weights = tf.tensor3d([[[1], [2]], [[3], [9]], [[4], [5]], [[6], [9]]]); // prettier-ignore
  const into = tf.grad((t: Tensor) => intoWindows(t, windows).mul(weights).sum())(tf.tensor3d(x));
  expect(into.arraySync()).toEqual([
    [[2], [3], [1]],
    [[5], [6], [4]],
  ]);
  const out = tf.grad((t: Tensor) => outOfWindows(t, windows, [2, 3, 1]).mul(tf.tensor3d(x)).sum())(weights);
  expect(out.arraySync()).toEqual([
    [[3], [1]],
    [[2], [0]],
    [[6], [4]],
    [[5], [0]],
  ]);
});
