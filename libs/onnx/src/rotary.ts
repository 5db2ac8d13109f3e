import type { RotaryOptions } from '@mpa/vlm';
import type { Graph, Value } from './graph.js';

/** Heads side by side in the last axis of a value, and how they are turned. */
export interface TurnedHeads {
  readonly heads: number;
  readonly headDim: number;
  readonly rotary: RotaryOptions;
}

/** Cosines and sines of every position, [length, pairs], made once per graph in its outermost scope. */
export class RotaryTable {
  readonly #graph: Graph;
  readonly #length: Value;

  /** `length` (an int64 scalar) positions from 0. */
  constructor(graph: Graph, length: Value) {
    this.#graph = graph;
    this.#length = length;
  }

  /**
   * `x` [B, T, heads * headDim] rotated by `positions` ([B, T], or [1]: the first of T consecutive ones), int64, the same on every
   * axis; halves of a head paired as in Llama.
   */
  rotate(graph: Graph, x: Value, positions: Value, turned: TurnedHeads): Value {
    const { frequencies } = turned.rotary;
    const { cos, sin } = this.#graph.once(`rotary ${frequencies.join()}`, () => this.#table(frequencies));
    return graph.node('RotaryEmbedding', [x, positions, cos, sin], attributesOf(turned));
  }

  #table(frequencies: readonly number[]): AngleTable {
    const graph = this.#graph;
    const int = (value: number): Value => graph.constant('int64', value);
    const positions = graph.cast(graph.node('Range', [int(0), this.#length, int(1)]), 'float32');
    return angleTable(graph, graph.reshape(positions, [-1, 1]), frequencies);
  }
}

/**
 * `x` [B, T, heads * headDim] rotated by `positions` [B, T, axes] int32, of which `axes` of the options says what turns what. The table
 * has a row for each token, and tokens are numbered through.
 */
export function rotateTokens(graph: Graph, x: Value, positions: Value, turned: TurnedHeads): Value {
  const { frequencies, axes } = turned.rotary;
  const { cos, sin, numbers } = graph.once(`rotary of ${positions} ${frequencies.join()} ${axes?.join()}`, () => {
    const flat = graph.node('Flatten', [graph.cast(positions, 'float32')], { axis: 2 }); // [B * T, axes]
    const turning = graph.node('Gather', [flat, graph.constant('int64', axes ?? frequencies.map(() => 0))], {
      axis: 1,
    });
    const int = (value: number): Value => graph.constant('int64', value);
    const tokens = graph.node('Range', [int(0), graph.reshape(graph.length(flat, 0), []), int(1)]);
    const shape = graph.node('Concat', [graph.length(positions, 0), graph.length(positions, 1)], { axis: 0 });
    return { ...angleTable(graph, turning, frequencies), numbers: graph.node('Reshape', [tokens, shape]) };
  });
  return graph.node('RotaryEmbedding', [x, numbers, cos, sin], attributesOf(turned));
}

/** Without a width the operator turns whole heads, as wide as the table says. */
function attributesOf({ heads, headDim, rotary }: TurnedHeads): Readonly<Record<string, number>> {
  const width = 2 * rotary.frequencies.length;
  return width === headDim ? { interleaved: 0 } : { interleaved: 0, num_heads: heads, rotary_embedding_dim: width };
}

interface AngleTable {
  readonly cos: Value;
  readonly sin: Value;
}

// [rows, 1 or pairs] positions -> cosines and sines [rows, pairs]
function angleTable(graph: Graph, positions: Value, frequencies: readonly number[]): AngleTable {
  const angles = graph.node('Mul', [positions, graph.constant('float32', frequencies)]);
  return { cos: graph.node('Cos', [angles]), sin: graph.node('Sin', [angles]) };
}
