import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { Graph } from './graph.js';
import type { Value } from './graph.js';
import type { KernelSet } from './kernel-set.js';
import { encodeModel } from './model-proto.js';
import { attentionMap, paddedHeadDim, textAttention } from './text-attention.js';
import type { AttentionRecord, KeyValueCache, Stretch } from './text-attention.js';

const TOKENS = 5;
/** Of three rows, how many tokens are the prompt's: what is behind them is written over as the answer grows. */
const LENGTHS = [5, 2, 4];
const STEPS = 3;

interface Heads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Outputs of a prefill of {@link TOKENS} tokens and {@link STEPS} tokens after it, in one graph on the CPU. */
async function run(kernels: KernelSet, shape: Heads): Promise<Record<string, number[]>> {
  const { heads, kvHeads, headDim } = shape;
  const graph = new Graph('test');
  const options = { tower: 'text', layer: 0, ...shape } as const;
  const sizes: Record<string, number[]> = {};
  const stretchOf = (last: readonly number[], length: number): Stretch => ({
    rotate: (_, x) => x,
    lastPositions: graph.constant('int32', last),
    length: graph.constant('int32', length),
  });
  let past: readonly KeyValueCache[] = [];
  const attend = (name: string, tokens: number, stretch: Stretch): AttentionRecord => {
    const [q, k, v] = ['q', 'k', 'v'].map((which): Value => {
      const width = (which === 'q' ? heads : kvHeads) * headDim;
      sizes[`${which}${name}`] = [LENGTHS.length, tokens, width];
      return graph.input(`${which}${name}`, 'float32', [LENGTHS.length, tokens, width]);
    }) as [Value, Value, Value];
    const records: AttentionRecord[] = [];
    const y = textAttention(kernels, stretch, { past, records })(graph, q, k, v, options);
    graph.output(`y${name}`, y, 'float32', ['rows', 'tokens', heads * headDim]);
    past = records;
    return records[0]!;
  };
  const last = TOKENS - 1;
  const prefill = attend(
    '0',
    TOKENS,
    stretchOf(
      LENGTHS.map(() => last),
      TOKENS,
    ),
  );
  const rows = graph.constant('int32', [last, TOKENS + 1, 2 * TOKENS + 2]);
  graph.output('map', attentionMap(graph, prefill, rows), 'float32', ['rows', 'tokens']);
  for (let step = 1; step <= STEPS; step++) {
    attend(
      `${step}`,
      1,
      stretchOf(
        LENGTHS.map((length) => length + step - 1),
        TOKENS + step,
      ),
    );
  }
  const width = paddedHeadDim(headDim);
  graph.output('cache', past[0]!.key, 'float32', [LENGTHS.length, kvHeads, 'cached', width]);

  const session = await InferenceSession.create(encodeModel(graph.build()));
  let seed = 1;
  const random = (): number => Math.sin(seed++ * 12.9898) * 2;
  const feeds = Object.entries(sizes).map(([name, dims]) => {
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, random);
    return [name, new Tensor('float32', data, dims)] as const;
  });
  const outputs = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}

it.each<Heads>([
  { heads: 4, kvHeads: 4, headDim: 16 },
  { heads: 6, kvHeads: 2, headDim: 8 },
  { heads: 4, kvHeads: 1, headDim: 6 },
])('gives what GroupQueryAttention gives, for $heads heads of $headDim with $kvHeads of keys', async (shape) => {
  const [standard, grouped] = [await run('cuda', shape), await run('cpu', shape)];
  expect(Object.keys(standard)).toEqual(['y0', 'map', 'y1', 'y2', 'y3', 'cache']);
  for (const name of ['y0', 'map', 'y1', 'y2', 'y3']) {
    // float32 rounding of means of values up to 2: 1e-6.
    standard[name]!.forEach((value, i) => expect(value, `${name} ${i}`).toBeCloseTo(grouped[name]![i]!, 5));
  }
  // The cache of a row as far as the row is long; what follows is nobody's.
  const width = paddedHeadDim(shape.headDim);
  const cached = TOKENS + STEPS;
  expect(standard['cache']!.length).toBe(grouped['cache']!.length);
  standard['cache']!.forEach((value, i) => {
    const row = Math.floor(i / (shape.kvHeads * cached * width));
    if (Math.floor(i / width) % cached < LENGTHS[row]! + STEPS) expect(value).toBe(grouped['cache']![i]);
  });
});
