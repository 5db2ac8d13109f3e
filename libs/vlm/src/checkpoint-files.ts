import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from './checkpoint-error.js';

/** The small files of a checkpoint folder. */
export interface CheckpointFiles {
  /** Path of a file, for messages. */
  path(name: string): string;
  /** Contents of a text file, or undefined if there is none. Throws CheckpointError if it cannot be read. */
  text(name: string): Promise<string | undefined>;
  /** Contents of a JSON object, or undefined if there is none. Throws CheckpointError if it is not one. */
  json(name: string): Promise<Record<string, unknown> | undefined>;
}

/** The files of a folder. */
export function checkpointFiles(folder: string): CheckpointFiles {
  const path = (name: string): string => join(folder, name);
  const text = async (name: string): Promise<string | undefined> => {
    try {
      return await readFile(path(name), 'utf8');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw new CheckpointError(`${path(name)}: cannot be read (${code})`, { cause });
    }
  };
  const json = async (name: string): Promise<Record<string, unknown> | undefined> => {
    const content = await text(name);
    if (content === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(content);
    } catch (cause) {
      throw new CheckpointError(`${path(name)}: is not valid JSON (${(cause as Error).message})`, { cause });
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new CheckpointError(`${path(name)}: is not a JSON object`);
    }
    return value as Record<string, unknown>;
  };
  return { path, text, json };
}
