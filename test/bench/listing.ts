import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PROCESS = new URL('./listing-process.js', import.meta.url).pathname;

/** References, and whether they are written into a run's log as well, whose own file grows with them. */
const CASES = [
  { size: 100_000, isLogged: false },
  { size: 10_000_000, isLogged: false },
  { size: 100_000, isLogged: true },
  { size: 1_000_000, isLogged: true },
] as const;

/** What listing took, in a process of its own. */
export interface ListingCost {
  /** Until the first reference was there, or its record in the log, which is made for it. */
  readonly firstSeconds: number;
  readonly seconds: number;
  /** Most memory that no file backs: the log's own pages, which the system takes back when it likes, left out. */
  readonly peakAnonymousBytes: number;
  readonly references: number;
}

/**
 * Lists references as `mpa align` does, and prints the time to the first of them and the peak of the memory. `folder` is for
 * the files, up to a gigabyte.
 */
export async function printListing(folder: string): Promise<void> {
  for (const { size, isLogged } of CASES) {
    const list = join(folder, `${size}.jsonl`);
    await writeList(list, size);
    const log = join(folder, 'log');
    const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, list, ...(isLogged ? [log] : [])]);
    const { firstSeconds, seconds, peakAnonymousBytes, references } = JSON.parse(stdout) as ListingCost;
    if (references !== size) throw new Error(`${references} of ${size} references were listed`);
    console.log(
      `listing ${size.toLocaleString('en')}${isLogged ? ' into a log' : ''}: first after ${firstSeconds.toFixed(2)} s, ` +
        `all after ${seconds.toFixed(0)} s (${Math.round(size / seconds).toLocaleString('en')} a second), ` +
        `peak memory ${(peakAnonymousBytes / 2 ** 20).toFixed(0)} MiB`,
    );
    await rm(list);
    await rm(log, { recursive: true, force: true });
  }
}

async function writeList(path: string, size: number): Promise<void> {
  const file = createWriteStream(path);
  for (let i = 0; i < size; i += 1000) {
    const lines = Array.from({ length: 1000 }, (_, j) => `{"image": "s3://corpus/${i}/${i + j}.jpg"}\n`);
    if (!file.write(lines.join(''))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}
