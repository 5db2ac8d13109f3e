import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { StorageError } from './storage-error.js';
import { writing } from './system-error.js';

// Linux has a file on a disk that is always full.
it.skipIf(!existsSync('/dev/full'))('names the place of a full disk, which may have room later', async () => {
  const failed = writing('/data/state', () => writeFile('/dev/full', 'x'));
  await expect(failed).rejects.toThrow(
    /^cannot write \/data\/state: ENOSPC: no space left on device.*; make room there$/,
  );
  await expect(failed).rejects.toMatchObject({ code: 'unreadable', retriable: true });
});

it('leaves errors that are not the system’s as they are', async () => {
  const own = new StorageError('corrupt', 'not what it must be');
  await expect(writing('/data', () => Promise.reject(own))).rejects.toBe(own);
  await expect(writing('/data', () => writeFile('/no/such/folder', 'x'))).rejects.toMatchObject({
    code: 'not-found',
    retriable: false,
  });
});
