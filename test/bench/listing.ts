import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PROCESS = new URL('./listing-process.js', import.meta.url).pathname;
const SIZES = [100_000, 10_000_000];

/** What listing took, in a process of its own. */
export interface ListingCost {
  /** Until the first record was in the log, list opened and log made. */
  readonly firstSeconds: number;
  readonly seconds: number;
  /** Most memory that no file backs: the log's own pages, which the system takes back when it likes, left out. */
  readonly peakAnonymousBytes: number;
  readonly records: number;
}

/**
 * Lists 100 thousand and 10 million references into a run's log, as `mpa align` does, and prints the time to the first record and
 * the memory of each. `folder` is for the files: some 5 GB.
 */
export async function printListing(folder: string): Promise<void> {
  for (const size of SIZES) {
    const list = join(folder, `${size}.jsonl`);
    await writeList(list, size);
    const log = join(folder, `log-${size}`);
    const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, list, log]);
    const { firstSeconds, seconds, peakAnonymousBytes, records } = JSON.parse(stdout) as ListingCost;
    if (records !== size) throw new Error(`${records} of ${size} references were listed`);
    console.log(
      `listing ${size.toLocaleString('en')}: first record after ${firstSeconds.toFixed(2)} s, ` +
        `all after ${seconds.toFixed(0)} s (${Math.round(size / seconds).toLocaleString('en')} a second), ` +
        `peak memory ${(peakAnonymousBytes / 2 ** 20).toFixed(0)} MiB`,
    );
    await rm(list);
    await rm(log, { recursive: true });
  }
}

async function writeList(path: string, size: number): Promise<void> {
  const file = createWriteStream(path);
  for (let i = 0; i < size; i += 1000) {
    const lines = Array.from(
      { length: Math.min(1000, size - i) },
      (_, j) => `{"image": "s3://corpus/${i}/${i + j}.jpg"}\n`,
    );
    if (!file.write(lines.join(''))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}
