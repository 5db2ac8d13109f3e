import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StorageError } from './storage-error.js';

/**
 * The absolute path that a `file://` URI or a plain path means.
 * Throws StorageError `unsupported` for any other scheme.
 */
export function localPath(uri: string): string {
  if (uri.startsWith('file:')) {
    try {
      return fileURLToPath(uri);
    } catch (cause) {
      throw new StorageError('unsupported', `${uri} is no local file URI: use file:///PATH`, { cause });
    }
  }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):\/\//.exec(uri)?.[1];
  if (scheme) {
    throw new StorageError('unsupported', `cannot read ${scheme}:// URIs: use a path or file://`);
  }
  return resolve(uri);
}
