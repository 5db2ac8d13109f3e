import type { Weights } from '@mpa/vlm';
import type { Graph, Value } from './graph.js';

/** How the matrices of linear layers are stored and multiplied. */
export type Precision = 'float32' | 'int8' | 'int4';

/** Puts a checkpoint's weights into graphs, under the checkpoint's names. */
export class WeightSource {
  constructor(
    readonly weights: Weights,
    readonly precision: Precision,
  ) {}

  /** The tensor `name` as it is in the checkpoint, float32. */
  weight(graph: Graph, name: string): Value {
    const dims = this.weights.shape(name);
    const read = (): Uint8Array[] => [bytes(this.weights.read(name))];
    return graph.weights({ tensors: [{ name, type: 'float32', dims }], read })[0]!;
  }

  /** `x W^T (+ b)`. */
  linear(graph: Graph, x: Value, module: string, bias: boolean): Value {
    const matrix = this.weight(graph, `${module}.weight`);
    const y = graph.node('FusedMatMul', [x, matrix], { transB: 1 }, module);
    return bias ? graph.node('Add', [y, this.weight(graph, `${module}.bias`)], {}, module) : y;
  }
}

function bytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
