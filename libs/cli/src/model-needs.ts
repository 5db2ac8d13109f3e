import { memoryLimit, memoryNeeds, ONE_QUESTION, precisions } from '@mpa/onnx';
import type { MemoryNeeds, Precision } from '@mpa/onnx';
import { countParameters, describeCheckpoint } from '@mpa/vlm';

/** What a model takes on this machine, reckoned from its config.json: no weight is read. Bytes. */
export interface ModelNeeds {
  readonly model: string;
  readonly parameters: number;
  readonly memoryLimit: number;
  /** To learn, on one small image at a time: parameters, and for all of them gradients and AdamW's two moments. */
  readonly training: { readonly lora: number; readonly full: number };
  /** To answer, by precision. */
  readonly answering: readonly ({ readonly precision: Precision; readonly fits: boolean } & MemoryNeeds)[];
}

/** Node.js and TensorFlow with its buffers; measured. */
const TRAINING_RUNTIME = 0.4 * 2 ** 30;

/** The needs of the checkpoint in `dir`, whose weights need not be there. Throws CheckpointError. */
export async function modelNeeds(dir: string): Promise<ModelNeeds> {
  const description = await describeCheckpoint(dir);
  const limit = memoryLimit();
  const answering = [];
  for (const precision of precisions) {
    const needs = await memoryNeeds(description, precision, ONE_QUESTION);
    answering.push({ precision, fits: needs.total <= limit, ...needs });
  }
  const parameters = countParameters(description);
  const training = { lora: TRAINING_RUNTIME + 4 * parameters, full: TRAINING_RUNTIME + 16 * parameters };
  return { model: dir, parameters, memoryLimit: limit, training, answering };
}

/** Lines for a reader. */
export function describeNeeds({ model, parameters, memoryLimit: limit, training, answering }: ModelNeeds): string[] {
  return [
    `model      ${model}: ${parameters.toLocaleString('en')} parameters`,
    ...answering.map(({ precision, fits, weights, total }) => {
      const verdict = fits ? 'fits' : `does not fit into ${gibibytes(limit)}`;
      return `           ${precision.padEnd(7)} ${gibibytes(weights)} on disk, about ${gibibytes(total)} of memory to answer: ${verdict}`;
    }),
    `           training: more than ${gibibytes(training.lora)} with LoRA, ${gibibytes(training.full)} in full; what a batch takes comes on top`,
  ];
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
