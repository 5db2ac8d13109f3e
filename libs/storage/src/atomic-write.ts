import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode, toStorageError } from './system-error.js';

/**
 * Writes a file by way of a temporary one beside it (`.NAME.XXXX.tmp`): after a crash or a power
 * failure at any point the file holds the old content or the new. Makes the folder if need be.
 * Throws StorageError `unreadable` or `not-found`, naming the file; the temporary file is removed.
 */
export async function writeFileAtomically(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await sync(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw toStorageError('write', path, error);
  }
}

/**
 * Writes a folder all at once: `fill` writes into a temporary folder beside it, which then takes its
 * place. A crash leaves either the complete old folder, or the complete new one, or (in the moment
 * between two renames) the old one beside it under its temporary name and none in place.
 * Throws what `fill` throws, or StorageError; the temporary folder is removed.
 */
export async function writeFolderAtomically(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(path);
  const replaced = temporaryName(path);
  try {
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    await syncTree(temporary);
    await rename(path, replaced).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
    });
    await rename(temporary, path);
    await sync(dirname(path));
    await rm(replaced, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw systemCode(error) === '' ? error : toStorageError('write', path, error);
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    await (entry.isDirectory() ? syncTree(path) : sync(path));
  }
  await sync(folder);
}

/** Waits until a file's bytes, or a folder's names, are on the disk. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
