import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Graph } from './graph.js';
import { encodeModel } from './model-proto.js';
import type { TensorProto } from './model-proto.js';

const ALIGNMENT = 64;

/**
 * Writes `NAME.onnx` and its weights, `NAME.data`, into a folder. Weights go through memory one at a time; ONNX Runtime
 * maps the data file instead of reading it. Returns the path of the model.
 */
export async function saveGraph(graph: Graph, folder: string, name: string): Promise<string> {
  const file = `${name}.data`;
  const data = await open(join(folder, file), 'w');
  const tensors: TensorProto[] = [];
  let offset = 0;
  try {
    for (const weights of graph.externalWeights) {
      const bytes = weights.read();
      for (const [i, tensor] of weights.tensors.entries()) {
        const { length } = bytes[i]!;
        await data.write(bytes[i]!, 0, length, offset);
        tensors.push({ ...tensor, data: { file, offset, length } });
        offset = Math.ceil((offset + length) / ALIGNMENT) * ALIGNMENT;
      }
    }
  } finally {
    await data.close();
  }
  const path = join(folder, `${name}.onnx`);
  await writeFile(path, encodeModel(graph.build(tensors)));
  return path;
}
