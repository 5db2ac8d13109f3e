import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Graph } from './graph.js';
import { saveGraph } from './save-graph.js';

// Part of every key: raise it when the same checkpoint gives another graph.
const VERSION = 1;

/**
 * The path of a graph that was written to `cacheDir` before under the same `identity` (anything that JSON can hold and that
 * decides what `build` gives), or is written now. Processes may race: the first to finish wins, and none sees half a graph.
 */
export async function exportGraph(
  cacheDir: string,
  name: string,
  identity: unknown,
  build: () => Graph,
): Promise<string> {
  const digest = createHash('sha256')
    .update(JSON.stringify([VERSION, name, identity]))
    .digest('hex');
  const folder = join(cacheDir, `${name}-${digest.slice(0, 32)}`);
  const path = join(folder, `${name}.onnx`);
  if (existsSync(path)) return path;
  const draft = `${folder}.${randomUUID()}`;
  await mkdir(draft, { recursive: true });
  try {
    await saveGraph(build(), draft, name);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}
