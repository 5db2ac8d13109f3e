import { StorageError } from '../storage-error.js';

/** The error for a file or a part of one that is over the limit. */
export function tooLarge(uri: string, bytes: number | string, maxBytes: number): StorageError {
  return new StorageError('too-large', `${uri} has ${bytes} bytes, more than the limit of ${maxBytes}`);
}
