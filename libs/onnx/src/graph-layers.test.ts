import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Layers, Weights } from '@mpa/vlm';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { Graph } from './graph.js';
import type { Value } from './graph.js';
import { graphLayers } from './graph-layers.js';
import { saveGraph } from './save-graph.js';

/** Two tiles of two tokens, two wide. */
const tokens = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** What a layer gives of {@link tokens} with one weight of this shape, run by ONNX Runtime. */
async function run(layer: (layers: Layers<Value>, x: Value) => Value, weight: Float32Array, shape: readonly number[]) {
  const weights: Weights = { names: ['w'], shape: () => shape, dtype: () => 'F32', read: () => weight };
  const graph = new Graph('test');
  const x = graph.input('x', 'float32', ['tiles', 'tokens', 2]);
  const layers = graphLayers(graph, weights, 'float32', () => {
    throw new Error('no attention here');
  });
  graph.output('y', layer(layers, x), 'float32', ['tiles', 'more', 'width']);
  const folder = await mkdtemp(join(tmpdir(), 'mpa-graph-layers-'));
  try {
    const session = await InferenceSession.create(await saveGraph(graph, folder, 'test'));
    const { y } = await session.run({ x: new Tensor('float32', tokens, [2, 2, 2]) });
    await session.release();
    return { dims: y!.dims, data: [...(y!.data as Float32Array)] };
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('layers over the tokens of tiles', () => {
  it.each([[[2]], [[1, 1, 2]]])('puts a token of shape %j before each tile', async (shape) => {
    const made = await run((layers, x) => layers.prependToken(x, 'w'), Float32Array.of(9, -1), shape);
    expect(made).toEqual({ dims: [2, 3, 2], data: [9, -1, 1, 2, 3, 4, 9, -1, 5, 6, 7, 8] });
  });

  it('leaves out the first token', async () => {
    const made = await run((layers, x) => layers.dropFirst(x), Float32Array.of(0), [1]);
    expect(made).toEqual({ dims: [2, 1, 2], data: [3, 4, 7, 8] });
  });

  it('joins what it is given side by side', async () => {
    const made = await run((layers, x) => layers.concat([x, layers.add(x, x)]), Float32Array.of(0), [1]);
    expect(made).toEqual({ dims: [2, 2, 4], data: [1, 2, 2, 4, 3, 4, 6, 8, 5, 6, 10, 12, 7, 8, 14, 16] });
  });

  it('adds a weight to every tile, and scales by one', async () => {
    const added = await run((layers, x) => layers.addWeight(x, 'w'), Float32Array.of(1, 0, 0, -8), [2, 2]);
    expect(added.data).toEqual([2, 2, 3, -4, 6, 6, 7, 0]);
    const scaled = await run((layers, x) => layers.scale(x, 'w'), Float32Array.of(2, 0.5), [2]);
    expect(scaled.data).toEqual([2, 1, 6, 2, 10, 3, 14, 4]);
  });
});

describe('layers over patches', () => {
  it('multiplies patches by a kernel that covers them whole', async () => {
    const kernel = Float32Array.of(1, 0, 0, 1, 1, -1);
    const made = await run((layers, x) => layers.projectPatches(x, 'w'), kernel, [3, 1, 2]);
    expect(made).toEqual({ dims: [2, 2, 3], data: [1, 2, -1, 3, 4, -1, 5, 6, -1, 7, 8, -1] });
  });

  it('splits channels in equal parts, and joins neighbours', async () => {
    const swapped = await run((layers, x) => layers.concat(layers.split(x, 2).toReversed()), Float32Array.of(0), [1]);
    expect(swapped).toEqual({ dims: [2, 2, 2], data: [2, 1, 4, 3, 6, 5, 8, 7] });
    const joined = await run((layers, x) => layers.joinPatches(x, 2), Float32Array.of(0), [1]);
    expect(joined).toEqual({ dims: [2, 1, 4], data: [...tokens] });
  });
});
