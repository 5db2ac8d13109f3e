import { createReadStream } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { StorageError } from './storage-error.js';
import { toStorageError } from './system-error.js';

const NEWLINE = 0x0a;
const TAIL_BLOCK = 64 * 1024;

/** A file of one JSON value a line, open for appending by one process. */
export interface JsonlFile {
  /** Appends values in one write; resolves when the system has them (they outlive the process). */
  append(...values: readonly unknown[]): Promise<void>;
  /** Waits for the disk too. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens (or makes) a JSON-lines file for appending. A last line without its newline is what a crash
 * left of an append; it is cut off first.
 * Throws StorageError `unreadable`.
 */
export async function openJsonl(path: string): Promise<JsonlFile> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'a+');
    await cutTornTail(file);
    let last = Promise.resolve();
    return {
      append(...values) {
        const lines = values.map((value) => `${JSON.stringify(value)}\n`).join('');
        const written = last.then(() => file.appendFile(lines));
        last = written.catch(() => undefined);
        return written.catch((error: unknown) => {
          throw toStorageError('append to', path, error);
        });
      },
      sync: () => last.then(() => file.sync()),
      close: () => last.then(() => file.close()),
    };
  } catch (error) {
    throw toStorageError('open', path, error);
  }
}

/**
 * The values of a JSON-lines file, one at a time; a torn last line is left out.
 * Throws StorageError `not-found`, `unreadable`, or `corrupt` naming the line that is no JSON.
 */
export async function* readJsonl<T>(path: string): AsyncIterable<T> {
  let held: string | undefined;
  let number = 0;
  try {
    const complete = await completeBytes(path);
    if (complete === 0) return;
    const input = createReadStream(path, { encoding: 'utf8', end: complete - 1 });
    for await (held of createInterface({ input, crlfDelay: Infinity })) {
      number += 1;
      if (held !== '') yield parse<T>(held, path, number);
    }
  } catch (error) {
    throw toStorageError('read', path, error);
  }
}

function parse<T>(line: string, path: string, number: number): T {
  try {
    return JSON.parse(line) as T;
  } catch (cause) {
    const message = `${path}, line ${number} is not JSON: remove the line or restore the file`;
    throw new StorageError('corrupt', message, { cause });
  }
}

async function completeBytes(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    return await afterLastNewline(file);
  } finally {
    await file.close();
  }
}

async function cutTornTail(file: FileHandle): Promise<void> {
  const complete = await afterLastNewline(file);
  if (complete < (await file.stat()).size) await file.truncate(complete);
}

/** Number of bytes up to and including the last newline. */
async function afterLastNewline(file: FileHandle): Promise<number> {
  let end = (await file.stat()).size;
  const block = Buffer.alloc(TAIL_BLOCK);
  while (end > 0) {
    const start = Math.max(0, end - TAIL_BLOCK);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    const newline = block.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}
