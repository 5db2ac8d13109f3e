import { memoryLimit, memoryNeeds, precisions } from '@mpa/onnx';
import type { MemoryNeeds, Precision } from '@mpa/onnx';
import { countParameters, describeCheckpoint } from '@mpa/vlm';

/** What a model takes on this machine, reckoned from its config.json: no weight is read. Bytes. */
export interface ModelNeeds {
  readonly model: string;
  readonly parameters: number;
  readonly memoryLimit: number;
  /** To answer, by precision. */
  readonly answering: readonly ({ readonly precision: Precision; readonly fits: boolean } & MemoryNeeds)[];
}

/** One question, as long as a prompt with a tiled image is. */
const LOAD = { batch: 1, tokens: 2048 };

/** The needs of the checkpoint in `dir`, whose weights need not be there. Throws CheckpointError. */
export async function modelNeeds(dir: string): Promise<ModelNeeds> {
  const description = await describeCheckpoint(dir);
  const limit = memoryLimit();
  const answering = [];
  for (const precision of precisions) {
    const needs = await memoryNeeds(description, precision, LOAD);
    answering.push({ precision, fits: needs.total <= limit, ...needs });
  }
  return { model: dir, parameters: countParameters(description), memoryLimit: limit, answering };
}

/** Lines for a reader. */
export function describeNeeds({ model, parameters, memoryLimit: limit, answering }: ModelNeeds): string[] {
  return [
    `model      ${model}: ${parameters.toLocaleString('en')} parameters`,
    ...answering.map(({ precision, fits, weights, total }) => {
      const verdict = fits ? 'fits' : `does not fit into ${gibibytes(limit)}`;
      return `           ${precision.padEnd(7)} ${gibibytes(weights)} on disk, about ${gibibytes(total)} of memory to answer: ${verdict}`;
    }),
  ];
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
