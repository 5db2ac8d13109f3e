import { beforeAll, describe, expect, it } from 'vitest';
import { loadTensorflow } from '../load.js';
import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';
import { TensorLayers } from './tensor-layers.js';

beforeAll(() => loadTensorflow({ backend: 'native' }));

const x = [
  [
    [1, 2],
    [3, 4],
  ],
  [
    [5, 6],
    [7, 8],
  ],
];

/** Layers over one weight, `w`. */
const layersOver = (weight: Tensor): TensorLayers =>
  new TensorLayers({ get: () => weight, isFrozen: () => false, lora: () => undefined }, {});

/** What a layer gives of [2, 2, 2] tokens and a weight, and the gradients of the sum of its squares in both. */
function run(layer: (layers: TensorLayers, tokens: Tensor) => Tensor, weight: Tensor): [unknown, unknown, unknown] {
  const value = layer(layersOver(weight), tf.tensor3d(x));
  const gradients = tf.grads((tokens, w) => layer(layersOver(w), tokens).square().sum())([tf.tensor3d(x), weight]);
  return [value.arraySync(), ...gradients.map((g) => g.arraySync())] as [unknown, unknown, unknown];
}

describe('layers over the tokens of tiles', () => {
  it('puts a token before each tile, which learns from all of them', () => {
    const [value, tokens, weight] = run((layers, t) => layers.prependToken(t, 'w'), tf.tensor1d([9, -1]));
    expect(value).toEqual([
      [
        [9, -1],
        [1, 2],
        [3, 4],
      ],
      [
        [9, -1],
        [5, 6],
        [7, 8],
      ],
    ]);
    expect(tokens).toEqual(x.map((tile) => tile.map((token) => token.map((v) => 2 * v))));
    expect(weight).toEqual([2 * 9 * 2, -1 * 2 * 2]);
  });

  it('adds a weight to every tile, and scales by one', () => {
    const [sum, , learnt] = run((layers, t) => layers.addWeight(t, 'w'), tf.tensor3d([[[1, 0], [0, -8]]])); // prettier-ignore
    expect(sum).toEqual([
      [
        [2, 2],
        [3, -4],
      ],
      [
        [6, 6],
        [7, 0],
      ],
    ]);
    expect(learnt).toEqual([[[2 * (2 + 6), 2 * (2 + 6)], [2 * (3 + 7), 2 * (-4 + 0)]]]); // prettier-ignore
    const [scaled, tokens, weight] = run((layers, t) => layers.scale(t, 'w'), tf.tensor1d([2, 0.5]));
    expect(scaled).toEqual(x.map((tile) => tile.map(([a, b]) => [a! * 2, b! / 2])));
    expect(tokens).toEqual(x.map((tile) => tile.map(([a, b]) => [8 * a!, b! / 2])));
    expect(weight).toEqual([4 * (1 + 9 + 25 + 49), 4 + 16 + 36 + 64]);
  });

  it('leaves out the first token, and joins what it is given side by side', () => {
    const layers = layersOver(tf.scalar(0));
    const tokens = tf.tensor3d(x);
    expect(layers.dropFirst(tokens).arraySync()).toEqual([[[3, 4]], [[7, 8]]]);
    expect(layers.concat([tokens, tokens.neg()]).arraySync()).toEqual(
      x.map((tile) => tile.map(([a, b]) => [a, b, -a!, -b!])),
    );
  });
});

describe('layers over patches', () => {
  it('multiplies patches by a kernel that covers them whole, and learns it', () => {
    const kernel = tf.tensor3d([[[1, 0]], [[0, 1]], [[1, -1]]]);
    const [value, , learnt] = run((layers, patches) => layers.projectPatches(patches, 'w'), kernel);
    expect(value).toEqual(x.map((view) => view.map(([a, b]) => [a, b, a! - b!])));
    // Sums over the patches of twice the output times the input: a a, a b; b a, b b; (a - b) a, (a - b) b with a - b = -1.
    expect(learnt).toEqual([[[2 * 84, 2 * 100]], [[2 * 100, 2 * 120]], [[-2 * 16, -2 * 20]]]);
  });

  it('splits channels in equal parts, and joins neighbours', () => {
    const layers = layersOver(tf.scalar(0));
    const tokens = tf.tensor3d(x);
    expect(layers.split(tokens, 2).map((part) => part.arraySync())).toEqual(
      [0, 1].map((channel) => x.map((view) => view.map((token) => [token[channel]]))),
    );
    expect(layers.joinPatches(tokens, 2).arraySync()).toEqual(x.map((view) => [view.flat()]));
  });
});
