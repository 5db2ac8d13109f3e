import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isLocked, takeLock } from './run-lock.js';
import { toStorageError } from './system-error.js';

/** Where a run keeps what; all paths are absolute. */
export interface RunPaths {
  readonly folder: string;
  /** The embedded streams: every record of every stage. */
  readonly streams: string;
  /** Checkpoints, one folder each. */
  readonly checkpoints: string;
  /** Per-sample results and other tables, as JSON lines. */
  readonly records: string;
  /** The configuration that the run was started with. */
  readonly config: string;
  /** The last summary, as JSON. */
  readonly summary: string;
  /** What is finished, as JSON. */
  readonly state: string;
  /** What `mpa analyze` found, as JSON. */
  readonly analysis: string;
  readonly report: string;
}

/** A run folder that this process alone works in. */
export interface RunFolder extends RunPaths {
  /** Lets others work in the folder. */
  close(): Promise<void>;
}

/** The layout of a run folder, for reading one that may be in use. */
export function runPaths(path: string): RunPaths {
  const folder = resolve(path);
  return {
    folder,
    streams: join(folder, 'streams'),
    checkpoints: join(folder, 'checkpoints'),
    records: join(folder, 'records'),
    config: join(folder, 'config.json'),
    summary: join(folder, 'summary.json'),
    state: join(folder, 'state.json'),
    analysis: join(folder, 'analysis.json'),
    report: join(folder, 'report.html'),
  };
}

/**
 * Makes or reopens a run folder and locks it until `close` or the end of the process, SIGKILL included.
 * Throws StorageError `locked` when another living process has it, `unreadable` when it cannot be made.
 */
export async function openRunFolder(path: string): Promise<RunFolder> {
  const paths = runPaths(path);
  try {
    for (const folder of [paths.streams, paths.checkpoints, paths.records]) {
      await mkdir(folder, { recursive: true });
    }
  } catch (error) {
    throw toStorageError('make the run folder', paths.folder, error);
  }
  const close = await takeLock(lockOf(paths));
  return { ...paths, close };
}

/** Whether a living process works in the folder; changes nothing. */
export function isRunInUse(paths: RunPaths): Promise<boolean> {
  return isLocked(lockOf(paths));
}

function lockOf({ folder }: RunPaths): string {
  return join(folder, 'lock');
}
