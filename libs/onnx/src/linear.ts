import type { Weights } from '@mpa/vlm';
import type { Graph, Value } from './graph.js';
import { quantizeBlocks } from './quantize-blocks.js';
import { quantizeRows } from './quantize-rows.js';

/**
 * How linear layers multiply.
 * - `float32`: as the checkpoint has them.
 * - `blocks8`, `blocks4`: 8 bits in blocks of 64, or 4 in blocks of 32, along the input, one scale each (MatMulNBits). Reads a
 *   quarter or an eighth of the bytes: fast for few rows, as in decoding.
 * - `rows8`: 8 bits, one scale for each row of weights and of activations, multiplied as integers. Fast for many rows, as in
 *   a vision tower; needs the CPU provider, on a processor on which {@link hasExactInt8} holds.
 */
export type LinearKind = 'float32' | 'blocks8' | 'blocks4' | 'rows8';

/** Emits `x W^T` of the matrix `${module}.weight` [out, in]. */
export type Linear = (graph: Graph, weights: Weights, x: Value, module: string) => Value;

export const linears: Readonly<Record<LinearKind, Linear>> = {
  float32: (graph, weights, x, module) =>
    graph.node('FusedMatMul', [x, float32Weight(graph, weights, `${module}.weight`)], { transB: 1 }, module),
  blocks8: (graph, weights, x, module) => blockLinear(graph, weights, x, module, 8),
  blocks4: (graph, weights, x, module) => blockLinear(graph, weights, x, module, 4),
  rows8: rowLinear,
};

/** Puts a tensor into the graph as it is in the checkpoint, under its name there. */
export function float32Weight(graph: Graph, weights: Weights, name: string): Value {
  const dims = weights.shape(name);
  return graph.weights({ tensors: [{ name, type: 'float32', dims }], read: () => [bytes(weights.read(name))] })[0]!;
}

// Larger blocks multiply faster; 4 bits need the smaller ones.
const BLOCK_SIZES = { 8: 64, 4: 32 } as const;
// MatMulNBits: activations are rounded to int8 in the same blocks.
const INT8_COMPUTE = 4;

function blockLinear(graph: Graph, weights: Weights, x: Value, module: string, bits: 4 | 8): Value {
  const name = `${module}.weight`;
  const [rows, columns] = weights.shape(name) as [number, number];
  const blockSize = BLOCK_SIZES[bits];
  const blocks = Math.ceil(columns / blockSize);
  const [values, scales] = graph.weights({
    tensors: [
      { name: `${name}/blocks${bits}`, type: 'uint8', dims: [rows, blocks, (blockSize * bits) / 8] },
      { name: `${name}/blocks${bits}/scales`, type: 'float32', dims: [rows, blocks] },
    ],
    read: () => {
      const quantized = quantizeBlocks(weights.read(name), columns, bits, blockSize);
      return [quantized.values, bytes(quantized.scales)];
    },
  });
  const attributes = { K: columns, N: rows, bits, block_size: blockSize, accuracy_level: INT8_COMPUTE };
  return graph.node('MatMulNBits', [x, values!, scales!], attributes, module);
}

// [N, P, in] -> [N*P, in], each row to 8 bits around 128 -> integer product -> times both scales -> [N, P, out].
// Layers that read the same x share its rounding: nodes are made once per input.
function rowLinear(graph: Graph, weights: Weights, x: Value, module: string): Value {
  const name = `${module}.weight`;
  const [rows, columns] = weights.shape(name) as [number, number];
  const [values, scales] = graph.weights({
    tensors: [
      { name: `${name}/rows8`, type: 'int8', dims: [columns, rows] },
      { name: `${name}/rows8/scales`, type: 'float32', dims: [rows] },
    ],
    read: () => {
      const quantized = quantizeRows(weights.read(name), columns);
      return [new Uint8Array(quantized.values.buffer), bytes(quantized.scales)];
    },
  });
  const one = graph.constant('float32', 1);
  const { levels, scale } = graph.once(`rows8 of ${x}`, () => roundedRows(graph, x, columns));
  const inputs = [levels, values!, one, scales!, graph.constant('uint8', 128)];
  const product = graph.node('MatMulIntegerToFloat', inputs, {}, module);
  const y = graph.node('Mul', [product, graph.reshape(scale, [-1, 1])], {}, module);
  const shape = [graph.length(x, 0), graph.length(x, 1), graph.constant('int64', [rows])];
  return graph.node('Reshape', [y, graph.node('Concat', shape, { axis: 0 })]);
}

function roundedRows(graph: Graph, x: Value, columns: number): { levels: Value; scale: Value } {
  const flat = graph.reshape(x, [-1, columns]);
  const extreme = graph.node('ReduceMax', [graph.node('Abs', [flat]), graph.constant('int64', [1])], { keepdims: 0 });
  // A row of zeros needs some scale above 0.
  const scale = graph.node('Max', [
    graph.node('Mul', [extreme, graph.constant('float32', 1 / 127)]),
    graph.constant('float32', 1e-30),
  ]);
  const zero = graph.node('Expand', [graph.constant('uint8', 128), graph.length(flat, 0)]);
  return { levels: graph.node('QuantizeLinear', [flat, scale, zero], { axis: 0 }), scale };
}

function bytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
