import { StorageError } from './storage-error.js';

/** The system's code of an error (`ENOENT`, `EACCES`, ...), or ''. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Codes of a disk, or a share of one, that is full: it may have room again. */
const FULL = ['ENOSPC', 'EDQUOT'];

/** A StorageError for a failed file operation: `not-found` or `unreadable`, naming the path. A full disk is retriable. */
export function toStorageError(action: string, path: string, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = ['ENOENT', 'ENOTDIR'].includes(systemCode(cause)) ? 'not-found' : 'unreadable';
  const words = cause instanceof Error ? cause.message : String(cause);
  const retriable = FULL.includes(systemCode(cause));
  const advice = retriable ? '; make room there' : '';
  return new StorageError(code, `cannot ${action} ${path}: ${words}${advice}`, { cause, retriable });
}

/** Has a file or folder written by code that knows no StorageError: a failure of the system becomes one, naming the path. */
export async function writing<T>(path: string, write: (path: string) => Promise<T>): Promise<T> {
  try {
    return await write(path);
  } catch (error) {
    throw systemCode(error) === '' ? error : toStorageError('write', path, error);
  }
}
