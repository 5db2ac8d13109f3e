import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Graph } from './graph.js';
import { saveGraph } from './save-graph.js';

// Part of every identity: raise it when the same checkpoint gives another graph.
const VERSION = 4;

/** Where an exported graph is kept. */
export interface ExportPlace {
  readonly cacheDir: string;
  /** Graph, precision and kernels: each variant of a checkpoint has its own place. */
  readonly variant: string;
  /** The checkpoint's folder. */
  readonly checkpoint: string;
}

/**
 * The path of the graph that `build` gives: written to the cache before under the same `identity` (anything JSON can hold that
 * decides what `build` gives), or written now. Older exports to the same place are removed, so that a folder which is
 * trained into again and again takes the room of one. Processes may race: the first to finish wins, and none sees half a
 * graph.
 */
export async function exportGraph(place: ExportPlace, identity: unknown, build: () => Graph): Promise<string> {
  const { cacheDir, variant, checkpoint } = place;
  const slot = `${variant}-${digest(resolve(checkpoint))}-`;
  const name = `${slot}${digest(JSON.stringify([VERSION, identity]))}`;
  const folder = join(cacheDir, name);
  const path = join(folder, 'model.onnx');
  if (existsSync(path)) return path;
  const draft = `${folder}${DRAFT}${randomUUID()}`;
  await mkdir(draft, { recursive: true });
  try {
    await saveGraph(build(), draft, 'model');
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
  await removeOlder(cacheDir, slot, name);
  return path;
}

const DRAFT = '.draft-';
const HOUR = 3_600_000;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

// A draft may be somebody's who is still writing; one that is an hour older than this export was left by a killed process.
async function removeOlder(cacheDir: string, slot: string, name: string): Promise<void> {
  const written = async (entry: string): Promise<number> =>
    (await stat(join(cacheDir, entry)).catch(() => undefined))?.mtimeMs ?? Infinity;
  const own = await written(name);
  for (const entry of await readdir(cacheDir)) {
    if (!entry.startsWith(slot) || entry === name) continue;
    if (entry.includes(DRAFT) && own - (await written(entry)) < HOUR) continue;
    await rm(join(cacheDir, entry), { recursive: true, force: true });
  }
}
