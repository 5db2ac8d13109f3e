import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TensorflowError } from './tensorflow-error.js';

/** What set-up chose for this machine: the contents of `chosen.json` in the cache. */
export interface ChosenTensorflow {
  readonly backend: 'native' | 'wasm';
  /** Where it comes from, in words: `wheel for CPUs`, say. */
  readonly source: string;
  readonly version: string;
  /** The compiled binding, relative to the file's own folder; empty with `wasm`. */
  readonly binding: string;
  /** Names of the GPUs that it was built for; empty without one. */
  readonly gpus: readonly string[];
  /** The better sources that could not be had, and why. */
  readonly failures: readonly { readonly source: string; readonly reason: string }[];
}

/** Where set-up keeps TensorFlow: `mpa` in `MPA_CACHE`, else in `XDG_CACHE_HOME`, else in `~/.cache`. */
export function defaultCacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['MPA_CACHE'] || env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'mpa');
}

/**
 * Reads what set-up chose, and the absolute path of its binding.
 *
 * @returns undefined when set-up has not run with this cache
 * @throws TensorflowError when the cache is damaged: unreadable choice, or a binding that is gone
 */
export function locateTensorflow(cacheDir: string): { chosen: ChosenTensorflow; bindingPath?: string } | undefined {
  const root = join(cacheDir, 'tensorflow');
  const file = join(root, 'chosen.json');
  if (!existsSync(file)) return undefined;
  let chosen: ChosenTensorflow;
  try {
    chosen = JSON.parse(readFileSync(file, 'utf8')) as ChosenTensorflow;
  } catch (cause) {
    throw new TensorflowError(`${file} is not readable JSON; delete it and run: npm run setup`, { cause });
  }
  if (chosen.backend === 'wasm') return { chosen };
  const bindingPath = join(root, chosen.binding);
  if (!existsSync(bindingPath)) throw new TensorflowError(`${bindingPath} is gone; run: npm run setup`);
  return { chosen, bindingPath };
}
