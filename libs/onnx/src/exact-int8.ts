import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Graph } from './graph.js';
import { encodeModel } from './model-proto.js';

const LENGTH = 64;

/**
 * Whether integer products are exact on this machine's processor: x86 processors without VNNI add pairs of 8-bit products in 16 bits,
 * which overflow. Found out by multiplying the extremes.
 */
export async function hasExactInt8(): Promise<boolean> {
  const graph = new Graph('exact int8');
  const a = graph.input('a', 'uint8', [1, LENGTH]);
  const b = graph.input('b', 'int8', [LENGTH, 1]);
  graph.output('y', graph.node('MatMulInteger', [a, b]), 'int32', [1, 1]);
  const session = await InferenceSession.create(encodeModel(graph.build()));
  try {
    const { y } = await session.run({
      a: new Tensor('uint8', new Uint8Array(LENGTH).fill(255), [1, LENGTH]),
      b: new Tensor('int8', new Int8Array(LENGTH).fill(127), [LENGTH, 1]),
    });
    return y!.data[0] === LENGTH * 255 * 127;
  } finally {
    await session.release();
  }
}
