import { beforeAll, expect, it } from 'vitest';
import { loadTensorflow } from '../load.js';
import { tf } from '../tf.js';
import { rotaryTable, rotate } from './rotary.js';

beforeAll(() => loadTensorflow({ backend: 'native' }));

it('turns the channels that have frequencies, and leaves the others alone', () => {
  // Pairs (0, 2) and (1, 3) of six channels, by a quarter turn a position and by half of one.
  const table = rotaryTable({ data: [1], shape: [1, 1] }, { frequencies: [Math.PI / 2, Math.PI / 4] });
  const half = Math.SQRT1_2;
  const turned = (x: readonly number[], sign: 1 | -1): number[] => [
    -sign * x[2]!,
    half * (x[1]! - sign * x[3]!),
    sign * x[0]!,
    half * (x[3]! + sign * x[1]!),
    x[4]!,
    x[5]!,
  ];
  const [x, dy] = [[1, 2, 3, 4, 5, 6], [6, -5, 4, -3, 2, -1]]; // prettier-ignore
  const [value, gradient] = [
    rotate(tf.tensor4d(x, [1, 1, 1, 6]), table).dataSync(),
    tf
      .grad((input) => rotate(input, table))(tf.tensor4d(x, [1, 1, 1, 6]), tf.tensor4d(dy, [1, 1, 1, 6]))
      .dataSync(),
  ];
  // float32 rounding of angles and products: 1e-6 of 6
  turned(x, 1).forEach((expected, i) => expect(value[i], `value ${i}`).toBeCloseTo(expected, 5));
  turned(dy, -1).forEach((expected, i) => expect(gradient[i], `gradient ${i}`).toBeCloseTo(expected, 5));
});
