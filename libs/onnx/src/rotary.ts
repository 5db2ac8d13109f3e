import type { Graph, Value } from './graph.js';

/** Cosines and sines of every position, [length, headDim / 2], made once per graph in its outermost scope. */
export class RotaryTable {
  readonly #graph: Graph;
  readonly #length: Value;
  readonly #tables = new Map<string, { readonly cos: Value; readonly sin: Value }>();

  /** `length` (an int64 scalar) positions from 0. */
  constructor(graph: Graph, length: Value) {
    this.#graph = graph;
    this.#length = length;
  }

  /**
   * `x` [B, T, heads * headDim] rotated by `positions` ([B, T], or [1]: the first of T consecutive ones), int64; halves
   * of a head paired as in Llama.
   */
  rotate(graph: Graph, x: Value, positions: Value, theta: number, headDim: number): Value {
    const { cos, sin } = this.#table(theta, headDim);
    return graph.node('RotaryEmbedding', [x, positions, cos, sin], { interleaved: 0 });
  }

  #table(theta: number, headDim: number): { readonly cos: Value; readonly sin: Value } {
    const key = `${theta} ${headDim}`;
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const graph = this.#graph;
    const int = (value: number): Value => graph.constant('int64', value);
    const frequencies = Array.from({ length: headDim / 2 }, (_, i) =>
      Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / headDim))),
    );
    const positions = graph.cast(graph.node('Range', [int(0), this.#length, int(1)]), 'float32');
    const angles = graph.node('Mul', [graph.reshape(positions, [-1, 1]), graph.constant('float32', frequencies)]);
    const table = { cos: graph.node('Cos', [angles]), sin: graph.node('Sin', [angles]) };
    this.#tables.set(key, table);
    return table;
  }
}
