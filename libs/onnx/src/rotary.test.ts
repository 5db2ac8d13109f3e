import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { Graph } from './graph.js';
import type { Value } from './graph.js';
import { encodeModel } from './model-proto.js';
import { RotaryTable, rotateTokens } from './rotary.js';

// Two heads of six channels, of which pairs (0, 2) and (1, 3) are turned, by a quarter turn a position and by half of one.
const turned = { heads: 2, headDim: 6, rotary: { frequencies: [Math.PI / 2, Math.PI / 4] } };
const tokens = Float32Array.from({ length: 2 * 12 }, (_, i) => i + 1);
const half = Math.SQRT1_2;

/** At position 0 and at position 1. */
const expected = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  ...[-15, half * (14 - 16), 13, half * (16 + 14), 17, 18],
  ...[-21, half * (20 - 22), 19, half * (22 + 20), 23, 24],
];

async function run(rotate: (graph: Graph, x: Value) => Value): Promise<number[]> {
  const graph = new Graph('test');
  graph.output('y', rotate(graph, graph.input('x', 'float32', [1, 2, 12])), 'float32', [1, 2, 12]);
  const session = await InferenceSession.create(encodeModel(graph.build()));
  const { y } = await session.run({ x: new Tensor('float32', tokens, [1, 2, 12]) });
  await session.release();
  return [...(y!.data as Float32Array)];
}

it.each<[string, (graph: Graph, x: Value) => Value]>([
  [
    'by the table of all positions',
    (graph, x) =>
      new RotaryTable(graph, graph.constant('int64', 2)).rotate(graph, x, graph.constant('int64', [0]), turned),
  ],
  [
    'by positions of their own',
    (graph, x) => {
      const positions = graph.constant('int32', [0, 1]);
      return rotateTokens(graph, x, graph.reshape(positions, [1, 2, 1]), turned);
    },
  ],
])('turns a part of every head, %s', async (_, rotate) => {
  const y = await run(rotate);
  y.forEach((value, i) => expect(value, `channel ${i}`).toBeCloseTo(expected[i]!, 4)); // float32 rounding of angles: 1e-6 of 24
});
