import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { localPath } from '../local-path.js';
import { StorageError } from '../storage-error.js';
import { toStorageError } from '../system-error.js';
import type { Files } from './files.js';
import { tooLarge } from './too-large.js';

/** Files of this machine, by `file://` URI or path. Pipes, sockets and devices are refused, since reading one may never end. */
export const localFiles: Files = {
  size: (uri) => withFile(uri, async (_, size) => size),
  read: (uri, { range, maxBytes, signal }) =>
    withFile(uri, async (file, size) => {
      signal?.throwIfAborted();
      const first = Math.min(range?.first ?? 0, size);
      const length = Math.min(range?.length ?? size, size - first);
      if (length > maxBytes) throw tooLarge(uri, length, maxBytes);
      const bytes = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, first + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    }),
};

async function withFile<T>(uri: string, work: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  const path = localPath(uri);
  let file: FileHandle | undefined;
  try {
    // Without waiting for a writer, should it be a pipe.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw new StorageError('unreadable', `${path} is no file`);
    return await work(file, stat.size);
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    throw toStorageError('read', path, error);
  } finally {
    await file?.close();
  }
}
