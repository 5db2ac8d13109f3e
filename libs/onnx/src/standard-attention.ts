import type { Graph, Value } from './graph.js';
import type { AttentionInputs, Attended, Stretch } from './text-attention.js';

/**
 * What GroupQueryAttention computes, of standard operators: MatMul, Softmax and a mask. With cached tokens each row has one new
 * token, written behind the row's own. Queries that share a head of keys are rows of one product.
 */
export function standardAttention(graph: Graph, inputs: AttentionInputs): Attended {
  const { query, keys, values, width, past, stretch } = inputs;
  const { heads, kvHeads, headDim } = inputs.options;
  const group = heads / kvHeads;
  const cached = (x: Value, before: Value | undefined): Value => {
    const now = graph.node('Transpose', [graph.reshape(x, [0, 0, kvHeads, width])], { perm: [0, 2, 1, 3] });
    return before === undefined ? now : extended(graph, before, now, stretch);
  };
  const key = cached(keys, past?.key); // [B, kv, C, width]
  const value = cached(values, past?.value);
  const grouped = graph.reshape(query, [0, 0, kvHeads, group, width]);
  const q = graph.reshape(graph.node('Transpose', [grouped], { perm: [0, 2, 1, 3, 4] }), [0, kvHeads, -1, width]);
  const later = graph.once(`behind ${stretch.lastPositions} ${group}`, () => laterTokens(graph, query, stretch, group));
  const mixed = graph.node('MatMul', [maskedSoftmax(graph, q, key, later, headDim), value]); // [B, kv, T * group, width]
  const split = graph.reshape(mixed, [0, kvHeads, -1, group, width]);
  const y = graph.reshape(graph.node('Transpose', [split], { perm: [0, 2, 1, 3, 4] }), [0, 0, heads * width]);
  return { y, key, value };
}

/** Softmax of the scaled products of queries [..., N, width] and keys [..., C, width] where `later` is false: [..., N, C]. */
export function maskedSoftmax(graph: Graph, q: Value, k: Value, later: Value, headDim: number): Value {
  const scores = graph.node('FusedMatMul', [q, k], { transB: 1, alpha: { float: 1 / Math.sqrt(headDim) } });
  const masked = graph.node('Where', [later, graph.constant('float32', -Infinity), scores]);
  return graph.node('Softmax', [masked], { axis: -1 });
}

// [R, kv, P, width] and [R, kv, 1, width] -> [R, kv, P + 1, width], the new token at its row's last position
function extended(graph: Graph, before: Value, now: Value, stretch: Stretch): Value {
  const isLast = graph.once(`at ${stretch.lastPositions}`, () =>
    graph.node('Equal', [
      graph.reshape(columns(graph, stretch.length), [-1, 1]),
      graph.reshape(stretch.lastPositions, [-1, 1, 1, 1]),
    ]),
  );
  return graph.node('Where', [isLast, now, graph.node('Concat', [before, now], { axis: 2 })]);
}

// [B, 1, T * group, C]: whether a column is behind the query's position.
function laterTokens(graph: Graph, query: Value, stretch: Stretch, group: number): Value {
  const int = (value: number): Value => graph.constant('int32', value);
  const tokens = graph.reshape(graph.cast(graph.length(query, 1), 'int32'), []);
  const fromLast = graph.node('Range', [graph.node('Sub', [int(1), tokens]), int(1), int(1)]); // 1 - T .. 0
  const positions = graph.node('Add', [graph.reshape(stretch.lastPositions, [-1, 1]), fromLast]); // [B, T]
  const shared = graph.node('Expand', [
    graph.node('Unsqueeze', [positions, graph.constant('int64', [2])]),
    graph.constant('int64', [1, 1, group]),
  ]);
  return graph.node('Greater', [columns(graph, stretch.length), graph.reshape(shared, [0, 1, -1, 1])]);
}

// 0 .. length - 1
function columns(graph: Graph, length: Value): Value {
  const int = (value: number): Value => graph.constant('int32', value);
  return graph.once(`columns ${length}`, () => graph.node('Range', [int(0), length, int(1)]));
}
