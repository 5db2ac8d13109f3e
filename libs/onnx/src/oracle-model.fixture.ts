import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '@mpa/vlm';
import type { KernelSet } from './kernel-set.js';
import { loadModel } from './load-model.js';
import type { LoadOptions } from './load-model.js';
import type { OnnxModel } from './onnx-model.js';
import { oracleFolder, storedImages, storedRows } from './oracle.fixture.js';
import type { Prompt } from './prompt-batch.js';

/** The oracle's model, exported with these kernels to a folder of its own and opened on the CPU; `close` frees both. */
export async function openOracleModel(
  options: Partial<LoadOptions> = {},
  kernels: KernelSet = 'cpu',
): Promise<{
  readonly model: OnnxModel;
  close(): Promise<void>;
}> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'onnx-model-'));
  const checkpoint = await openCheckpoint(oracleFolder);
  const model = await loadModel(checkpoint, { cacheDir, threads: 1, ...options }, kernels);
  checkpoint.close();
  return {
    model,
    close: async () => {
      await model.close();
      rmSync(cacheDir, { recursive: true });
    },
  };
}

/** The prompts of a case with the features of their images. */
export async function oraclePrompts(model: OnnxModel, index: number): Promise<Prompt[]> {
  const features = await model.encodeImage(storedImages(index));
  const ids = storedRows(`case${index}.input_ids`, `case${index}.attention_mask`);
  return ids.map((row, i) => ({ ids: row, images: [features[i]!] }));
}
