import { join } from 'node:path';
import { countParameters, openCheckpoint } from '@mpa/vlm';
import { equal } from './check.js';
import type { Check } from './check.js';
import { onnxChecks } from './onnx-checks.js';
import type { OracleFolder } from './oracle-folder.js';
import { processorChecks } from './processor-checks.js';
import { roundTripChecks } from './round-trip-checks.js';
import { tensorflowChecks } from './tensorflow-checks.js';

/** Every check of one reference folder; files go to `temporary`. TensorFlow must be loaded. */
export async function* allChecks(folder: OracleFolder, temporary: string): AsyncGenerator<Check> {
  const checkpoint = await openCheckpoint(folder.dir);
  yield equal('parameters', [countParameters(checkpoint)], [folder.reference.num_parameters]);
  yield* processorChecks(folder, checkpoint);
  for (const kernels of ['cpu', 'cuda'] as const) {
    yield* onnxChecks(folder, checkpoint, join(temporary, 'onnx'), kernels);
  }
  yield* tensorflowChecks(folder, checkpoint);
  yield* roundTripChecks(checkpoint, join(temporary, 'saved'));
  checkpoint.close();
}
