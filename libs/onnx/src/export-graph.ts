import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Graph } from './graph.js';
import { saveGraph } from './save-graph.js';

// Part of every identity: raise it when the same checkpoint gives another graph.
const VERSION = 2;

/** Where an exported graph is kept. */
export interface ExportPlace {
  readonly cacheDir: string;
  /** Graph, precision and other options: each variant of a checkpoint has its own place. */
  readonly variant: string;
  /** The checkpoint's folder. */
  readonly checkpoint: string;
}

/**
 * The path of the graph that `build` gives: written to the cache before under the same `identity` (anything JSON can hold that
 * decides what `build` gives), or written now in the place of an older one, so that a folder which is trained into again
 * and again takes the room of one. Processes may race: none sees half a graph.
 */
export async function exportGraph(place: ExportPlace, identity: unknown, build: () => Graph): Promise<string> {
  const { cacheDir, variant, checkpoint } = place;
  const wanted = JSON.stringify([VERSION, identity]);
  const slot = createHash('sha256')
    .update(`${variant} ${resolve(checkpoint)}`)
    .digest('hex')
    .slice(0, 16);
  const folder = join(cacheDir, `${variant}-${slot}`);
  const present = async (): Promise<boolean> => (await readFile(identityOf(folder), 'utf8').catch(() => '')) === wanted;
  if (!(await present())) {
    const draft = `${folder}.${randomUUID()}`;
    await mkdir(draft, { recursive: true });
    try {
      await saveGraph(build(), draft, 'model');
      await writeFile(identityOf(draft), wanted);
      await rm(folder, { recursive: true, force: true });
      await rename(draft, folder);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      if (!(await present())) throw error;
    }
  }
  return join(folder, 'model.onnx');
}

const identityOf = (folder: string): string => join(folder, 'identity.json');
