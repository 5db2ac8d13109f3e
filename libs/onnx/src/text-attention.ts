import type { AttentionOptions } from '@mpa/vlm';
import type { Graph, Value } from './graph.js';
import type { Attention } from './graph-layers.js';
import type { KernelSet } from './kernel-set.js';
import type { TurnedHeads } from './rotary.js';
import { maskedSoftmax, standardAttention } from './standard-attention.js';

/** Keys and values of one layer, [B, kvHeads, T, {@link paddedHeadDim}], keys already rotated. */
export interface KeyValueCache {
  readonly key: Value;
  readonly value: Value;
}

/** What attention of one layer saw and left, for the KV cache and for attention maps. */
export interface AttentionRecord extends KeyValueCache {
  /** Rotated queries [B, T, heads * headDim], each head filled up as in {@link paddedHeadDim}. */
  readonly query: Value;
  readonly options: AttentionOptions;
}

/** Where a stretch of tokens stands. */
export interface Stretch {
  /** Rotates queries or keys of the new tokens by their positions. */
  readonly rotate: (graph: Graph, x: Value, turned: TurnedHeads) => Value;
  /** Cached plus new tokens of each row, less one: int32 [B]. */
  readonly lastPositions: Value;
  /** The longest row's cached plus new tokens: int32 scalar. */
  readonly length: Value;
}

/** What attention of one layer is computed of. */
export interface AttentionInputs {
  /** Rotated queries of the new tokens [B, T, heads * width]. */
  readonly query: Value;
  /** Rotated keys of the new tokens [B, T, kvHeads * width], and their values. */
  readonly keys: Value;
  readonly values: Value;
  /** {@link paddedHeadDim}. */
  readonly width: number;
  readonly past: KeyValueCache | undefined;
  readonly stretch: Stretch;
  readonly options: AttentionOptions;
}

/** Attention's result [B, T, heads * width], and the cache with the new tokens. */
export interface Attended extends KeyValueCache {
  readonly y: Value;
}

/** How the same attention is written in each set of kernels, with the same cache. */
const emitters: Readonly<Record<KernelSet, (graph: Graph, inputs: AttentionInputs) => Attended>> = {
  cpu: groupQueryAttention,
  cuda: standardAttention,
};

/** What the layers of one stretch read and leave. */
export interface LayerCaches {
  /** Of each layer; none in a prefill. */
  readonly past: readonly KeyValueCache[];
  /** What each layer leaves behind. */
  readonly records: AttentionRecord[];
}

/**
 * Causal attention over the cached tokens of a layer and the new ones. Rows may have different lengths: each sees its own
 * tokens only.
 */
export function textAttention(kernels: KernelSet, stretch: Stretch, { past, records }: LayerCaches): Attention {
  return (graph, q, k, v, options) => {
    const { layer, heads, kvHeads, headDim, rotary } = options;
    const rotate = (x: Value, count: number): Value =>
      rotary ? stretch.rotate(graph, x, { heads: count, headDim, rotary }) : x;
    const query = widened(graph, rotate(q, heads), heads, headDim);
    const keys = widened(graph, rotate(k, kvHeads), kvHeads, headDim);
    const values = widened(graph, v, kvHeads, headDim);
    const inputs = { query, keys, values, width: paddedHeadDim(headDim), past: past[layer], stretch, options };
    const { y, key, value } = emitters[kernels](graph, inputs);
    records[layer] = { query, key, value, options };
    return narrowed(graph, y, heads, headDim);
  };
}

function groupQueryAttention(graph: Graph, { query, keys, values, past, stretch, options }: AttentionInputs): Attended {
  const { layer, heads, kvHeads, headDim, tower } = options;
  const [y, key, value] = graph.nodes(
    'GroupQueryAttention',
    [query, keys, values, past?.key ?? '', past?.value ?? '', stretch.lastPositions, stretch.length],
    {
      attributes: { num_heads: heads, kv_num_heads: kvHeads, scale: { float: 1 / Math.sqrt(headDim) } },
      outputs: 3,
      name: `${tower}.${layer}`,
    },
  );
  return { y: y!, key: key!, value: value! };
}

/** Width of a head in GroupQueryAttention, which takes multiples of 8 only: zeros fill it up. */
export function paddedHeadDim(headDim: number): number {
  return Math.ceil(headDim / 8) * 8;
}

function widened(graph: Graph, x: Value, heads: number, headDim: number): Value {
  const width = paddedHeadDim(headDim);
  if (width === headDim) return x;
  const pads = graph.constant('int64', [0, 0, 0, 0, 0, 0, 0, width - headDim]);
  const padded = graph.node('Pad', [graph.reshape(x, [0, 0, heads, headDim]), pads]);
  return graph.reshape(padded, [0, 0, heads * width]);
}

function narrowed(graph: Graph, x: Value, heads: number, headDim: number): Value {
  const width = paddedHeadDim(headDim);
  if (width === headDim) return x;
  const axis = (value: number): Value => graph.constant('int64', [value]);
  const cut = graph.node('Slice', [graph.reshape(x, [0, 0, heads, width]), axis(0), axis(headDim), axis(3)]);
  return graph.reshape(cut, [0, 0, heads * headDim]);
}

/**
 * Softmax probabilities of one prefill layer, mean over heads, from the tokens at `rows` (int32 [A], counted over the
 * flattened [B, T]) to every token of the same sequence: [A, T]; 0 after the row's own position.
 */
export function attentionMap(graph: Graph, record: AttentionRecord, rows: Value): Value {
  const { heads, kvHeads, headDim } = record.options;
  const length = graph.cast(graph.length(record.key, 2), 'int32');
  const sequence = graph.node('Div', [rows, length]);
  const position = graph.reshape(graph.node('Mod', [rows, length]), [-1, 1, 1, 1]);
  const queries = graph.reshape(record.query, [-1, kvHeads, heads / kvHeads, paddedHeadDim(headDim)]);
  const q = graph.node('Gather', [queries, rows], { axis: 0 }); // [A, kv, group, headDim]
  const k = graph.node('Gather', [record.key, sequence], { axis: 0 }); // [A, kv, T, headDim]
  const int = (value: number): Value => graph.constant('int32', value);
  const columns = graph.node('Range', [int(0), graph.reshape(length, []), int(1)]);
  const later = graph.node('Greater', [columns, position]); // [A, 1, 1, T]
  const probabilities = maskedSoftmax(graph, q, k, later, headDim);
  return graph.node('ReduceMean', [probabilities, graph.constant('int64', [1, 2])], { keepdims: 0 });
}
