import { copyFile, cp, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveModel } from '@mpa/onnx';
import { writeFolderAtomically } from '@mpa/storage';
import { copyCompanions, openCheckpoint } from '@mpa/vlm';
import { CliError } from '../cli-error.js';
import { onnxReadme } from './onnx-readme.js';

/** Copies a levelled model, a Hugging Face folder with LoRA merged, into a new folder. */
export async function exportHuggingFace(checkpoint: string, folder: string): Promise<void> {
  await writeFolderAtomically(folder, async (temporary) => {
    await copyCompanions(checkpoint, temporary);
    await copyFile(join(checkpoint, 'model.safetensors'), join(temporary, 'model.safetensors'));
  });
}

/** Copies the LoRA adapter of a levelled model into a new folder. Throws CliError when it was levelled otherwise. */
export async function exportAdapter(checkpoint: string, folder: string): Promise<void> {
  const adapter = join(checkpoint, 'adapter');
  if (!(await stat(adapter).catch(() => undefined))) {
    throw new CliError(`${checkpoint} has no adapter: the run was not levelled with LoRA; leave --adapter out`);
  }
  await writeFolderAtomically(folder, (temporary) => cp(adapter, temporary, { recursive: true }));
}

/** Writes a levelled model as ONNX graphs into a new folder, with what else is needed to run it, and a README. */
export async function exportOnnx(checkpoint: string, folder: string): Promise<void> {
  const opened = await openCheckpoint(checkpoint);
  try {
    await writeFolderAtomically(folder, async (temporary) => {
      const graphs = await saveModel(opened, temporary);
      await copyCompanions(checkpoint, temporary);
      await writeFile(join(temporary, 'README.md'), onnxReadme(graphs));
    });
  } finally {
    opened.close();
  }
}
