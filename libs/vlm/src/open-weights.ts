import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from './checkpoint-error.js';
import { checkpointFiles } from './checkpoint-files.js';
import { openSafetensors } from './safetensors.js';
import type { SafetensorsFile } from './safetensors.js';
import type { Weights } from './weights.js';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Whether a folder holds weights, in one file or sharded. */
export function hasWeights(folder: string): boolean {
  return [SINGLE, INDEX].some((name) => existsSync(join(folder, name)));
}

/**
 * Opens a checkpoint folder's weights, in one file or sharded. Throws CheckpointError if there are none, a shard is missing, or the
 * index and the shards disagree.
 */
export async function openWeights(folder: string): Promise<Weights & { close(): void }> {
  if (existsSync(join(folder, SINGLE))) return openSafetensors(join(folder, SINGLE));
  const path = join(folder, INDEX);
  const index = await checkpointFiles(folder).json(INDEX);
  if (!index) throw new CheckpointError(`${folder}: there is neither ${SINGLE} nor ${INDEX}`);
  const parsed = indexSchema.safeParse(index);
  if (!parsed.success) throw new CheckpointError(`${path}: weight_map: ${parsed.error.issues[0]!.message}`);
  return openShards(path, parsed.data.weight_map);
}

function openShards(path: string, map: Readonly<Record<string, string>>): Weights & { close(): void } {
  const shards = new Map<string, SafetensorsFile>();
  const close = (): void => shards.forEach((shard) => shard.close());
  try {
    for (const file of new Set(Object.values(map))) {
      if (file.includes('/') || file.includes('\\'))
        throw new CheckpointError(`${path}: ${file} is not a file of the folder`);
      shards.set(file, openSafetensors(join(dirname(path), file)));
    }
    for (const [file, { names }] of shards) {
      const stray = names.find((name) => !Object.hasOwn(map, name) || map[name] !== file);
      if (stray !== undefined) throw new CheckpointError(`${path}: does not say that ${stray} is in ${file}`);
    }
    const held = new Map([...shards].map(([file, { names }]) => [file, new Set(names)]));
    for (const [name, file] of Object.entries(map)) {
      if (!held.get(file)!.has(name)) throw new CheckpointError(`${path}: ${name} is not in ${file} as it says`);
    }
  } catch (error) {
    close();
    throw error;
  }
  const shardOf = (name: string): SafetensorsFile => {
    const file = Object.hasOwn(map, name) ? map[name] : undefined;
    if (file === undefined) throw new CheckpointError(`${path}: there is no tensor ${name}`);
    return shards.get(file)!;
  };
  return {
    names: Object.keys(map),
    shape: (name) => shardOf(name).shape(name),
    dtype: (name) => shardOf(name).dtype(name),
    read: (name) => shardOf(name).read(name),
    close,
  };
}
