import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EndpointConfig, ModelConfig } from '@mpa/inference';
import { CheckpointError } from '@mpa/vlm';

/**
 * A digest of what a model's answers follow from: the small files of its checkpoint, size and time of its weight files, and how
 * it is run. An answer that was kept is only taken for the same digest. Throws CheckpointError when there is no such folder.
 */
export async function modelFingerprint({ checkpoint, precision, maxNewTokens }: ModelConfig): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([precision, maxNewTokens]));
  for (const name of await filesIn(checkpoint)) {
    const path = join(checkpoint, name);
    if (/\.(json|jinja|txt)$/.test(name)) hash.update(name).update(await readFile(path));
    if (!name.endsWith('.safetensors')) continue;
    const { size, mtimeMs } = await stat(path);
    hash.update(JSON.stringify([name, size, mtimeMs]));
  }
  return hash.digest('hex').slice(0, 16);
}

/** The same of a model behind an endpoint: what it is called and how it is asked. Whether the server changed cannot be seen. */
export function endpointFingerprint({ url, model, maxNewTokens, images }: EndpointConfig): string {
  const asked = JSON.stringify([url, model, maxNewTokens, images.longestSide]);
  return createHash('sha256').update(asked).digest('hex').slice(0, 16);
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [] : [entry.name])).sort();
  } catch (cause) {
    throw new CheckpointError(`${folder} is no checkpoint folder: ${(cause as Error).message}`, { cause });
  }
}
