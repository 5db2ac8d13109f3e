import { open } from 'node:fs/promises';
import { writeFileAtomically } from './atomic-write.js';
import { listImages } from './list-images.js';
import { localPath } from './local-path.js';
import type { Storage } from './storage.js';
import { StorageError } from './storage-error.js';
import { toStorageError } from './system-error.js';

/** Storage on this machine's file system. */
export const fileStorage: Storage = {
  listImages,
  read,
  write: async (uri, data) => writeFileAtomically(localPath(uri), data),
};

async function read(
  uri: string,
  { maxBytes = Infinity, signal }: { maxBytes?: number; signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const path = localPath(uri);
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > maxBytes) {
        throw new StorageError('too-large', `${path} has ${size} bytes, more than the limit of ${maxBytes}`);
      }
      return await file.readFile({ signal });
    } finally {
      await file.close();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw toStorageError('read', path, error);
  }
}
