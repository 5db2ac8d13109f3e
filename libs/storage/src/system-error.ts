import { StorageError } from './storage-error.js';

/** The system's code of an error (`ENOENT`, `EACCES`, ...), or ''. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** A StorageError for a failed file operation: `not-found` or `unreadable`, naming the path. */
export function toStorageError(action: string, path: string, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = ['ENOENT', 'ENOTDIR'].includes(systemCode(cause)) ? 'not-found' : 'unreadable';
  const words = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(code, `cannot ${action} ${path}: ${words}`, { cause });
}
