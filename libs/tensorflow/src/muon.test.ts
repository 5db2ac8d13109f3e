import { beforeAll, describe, expect, it } from 'vitest';
import { AdamW } from './adamw.js';
import { loadTensorflow } from './load.js';
import { Muon, orthogonal } from './muon.js';
import { Parameters } from './parameters.js';
import { tf } from './tf.js';
import type { Tensor } from './tf.js';

beforeAll(() => loadTensorflow({ backend: 'native' }));

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'wide.weight': [3, 7],
  'tall.weight': [7, 3],
  'table.weight': [5, 3],
  bias: [3],
};
const OPTIONS = { matrices: /^(wide|tall)\./, weightDecay: 0.1 };
const RATE = 0.01;

/** Numbers without a pattern that matters, another sequence for each seed. */
function values(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

function parametersOf(): Parameters {
  const weights = {
    names: Object.keys(SHAPES),
    shape: (name: string) => SHAPES[name]!,
    dtype: () => 'F32' as const,
    read: (name: string) => values(sizeOf(SHAPES[name]!), name.length),
  };
  return new Parameters(weights, { kind: 'full' }, () => 0.5);
}

function gradientsOf(step: number): Map<string, Tensor> {
  return new Map(
    Object.entries(SHAPES).map(([name, shape]) => [
      name,
      tf.tensor(values(sizeOf(shape), step + name.length), [...shape]),
    ]),
  );
}

function step(optimizer: Muon | AdamW, number: number): void {
  const gradients = gradientsOf(number);
  optimizer.step(gradients, RATE);
  tf.dispose([...gradients.values()]);
}

describe('orthogonal', () => {
  it('brings singular values from 1 down to a hundredth near one, and leaves the singular vectors', () => {
    const [left, right] = [rotation(4, 1), rotation(6, 2)];
    const sigma = [1, 0.3, 0.05, 0.01];
    const scaled = tf.tensor2d(sigma.flatMap((s, i) => Array.from({ length: 6 }, (_, j) => (i === j ? s : 0))), [4, 6]); // prettier-ignore
    const matrix = tf.matMul(tf.matMul(left, scaled), right, false, true);
    const made = orthogonal(matrix.expandDims(0)).squeeze([0]);
    const back = tf.matMul(tf.matMul(left, made, true), right).arraySync() as number[][];
    back.forEach((row, i) =>
      row.forEach((value, j) => {
        if (i !== j)
          expect(Math.abs(value), `${i}, ${j}`).toBeLessThan(1e-3); // float32, small values raised a hundredfold
        else {
          expect(value).toBeGreaterThan(0.7);
          expect(value).toBeLessThan(1.3);
        }
      }),
    );
  });
});

/** An orthogonal matrix [n, n]: the product of reflections. */
function rotation(n: number, seed: number): Tensor {
  let product: Tensor = tf.eye(n);
  for (let i = 0; i < n; i++) {
    const v = tf.tensor2d(values(n, seed + i), [n, 1]);
    const reflection = tf.eye(n).sub(tf.matMul(v, v, false, true).mul(2).div(v.square().sum()));
    product = tf.matMul(product, reflection);
  }
  return product;
}

describe('Muon', () => {
  it('moves a matrix by an orthogonal step of the size of its gradient’s direction, whatever its length', () => {
    const parameters = parametersOf();
    const optimizer = new Muon(parameters, OPTIONS);
    step(optimizer, 1);
    for (const name of ['wide.weight', 'tall.weight']) {
      const [rows, columns] = SHAPES[name] as [number, number];
      const before = values(rows * columns, name.length);
      const after = parameters.read(name);
      const moved = tf.tensor2d(after.map((v, i) => (before[i]! * (1 - RATE * 0.1) - v) / (RATE * 0.2 * Math.sqrt(7))), [rows, columns]); // prettier-ignore
      const gradient = gradientsOf(1).get(name)!;
      const wide = rows < columns ? gradient : gradient.transpose();
      const expected = orthogonal(wide.expandDims(0)).squeeze([0]);
      const actual = rows < columns ? moved : moved.transpose();
      // A difference of parameters of size 1, divided by 0.005: float32 keeps 1e-7 / 0.005.
      expect(tf.max(tf.abs(actual.sub(expected))).dataSync()[0]).toBeLessThan(1e-4);
    }
    optimizer.dispose();
    parameters.dispose();
  });

  it('leaves all else to AdamW', () => {
    const [mine, plain] = [parametersOf(), parametersOf()];
    const [muon, adamw] = [new Muon(mine, OPTIONS), new AdamW(plain, OPTIONS)];
    for (const number of [1, 2, 3]) {
      step(muon, number);
      step(adamw, number);
    }
    for (const name of ['table.weight', 'bias']) expect(mine.read(name)).toEqual(plain.read(name));
    expect(mine.read('wide.weight')).not.toEqual(plain.read('wide.weight'));
    for (const owner of [muon, adamw, mine, plain]) owner.dispose();
  });

  it('goes on from its state to the bit, and keeps no more tensors from step to step', () => {
    const [whole, first, second] = [parametersOf(), parametersOf(), parametersOf()];
    const [undisturbed, stopped, resumed] = [whole, first, second].map((p) => new Muon(p, OPTIONS)) as [
      Muon,
      Muon,
      Muon,
    ];
    step(undisturbed, 1);
    const tensors = tf.memory().numTensors;
    step(undisturbed, 2);
    expect(tf.memory().numTensors).toBe(tensors);
    step(stopped, 1);
    for (const name of first.trainableNames) second.assign(name, first.get(name).clone());
    resumed.restore(stopped.state());
    expect(resumed.steps).toBe(1);
    step(resumed, 2);
    for (const name of whole.trainableNames) expect(second.read(name)).toEqual(whole.read(name));
    for (const owner of [undisturbed, stopped, resumed, whole, first, second]) owner.dispose();
  });
});
