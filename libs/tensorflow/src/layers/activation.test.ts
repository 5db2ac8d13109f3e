import type { Activation } from '@mpa/vlm';
import { beforeAll, expect, it } from 'vitest';
import { loadTensorflow } from '../load.js';
import { tf } from '../tf.js';
import { activations } from './activation.js';

beforeAll(() => loadTensorflow({ backend: 'native' }));

const STEP = 1e-2;
// Away from zero by more than the step: ReLU has a corner there.
const points = [-3.1, -1.7, -0.6, -0.05, 0.05, 0.4, 1.3, 2.9];

it.each(Object.keys(activations) as Activation[])('%s has the gradient that central differences give', (name) => {
  const at = (shift: number): Float32Array =>
    activations[name](tf.tensor1d(points.map((x) => x + shift))).dataSync<'float32'>();
  const [above, below] = [at(STEP), at(-STEP)];
  const gradient = tf
    .grad((x) => activations[name](x).sum())(tf.tensor1d(points))
    .dataSync();
  // The third derivative is below 2 (error step^2 / 6 of it), and float32 rounds values up to 3 (error 2e-7 / step).
  points.forEach((x, i) => expect(gradient[i], `at ${x}`).toBeCloseTo((above[i]! - below[i]!) / (2 * STEP), 3));
});
