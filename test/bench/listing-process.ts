import { readFileSync } from 'node:fs';
import { startListing } from '@mpa/cli';
import { ImageStore } from '@mpa/storage';
import { openEmbeddedStreams } from '@mpa/streams';
import type { ListingCost } from './listing.js';

const [list, log] = process.argv.slice(2) as [string, string?];
const ROOTS = ['s3://corpus'];
const began = performance.now();
const since = (): number => (performance.now() - began) / 1000;
let firstSeconds = 0;
let peakAnonymousBytes = 0;

function look(count: number): void {
  if (firstSeconds === 0 && count > 0) firstSeconds = since();
  const kilobytes = Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  peakAnonymousBytes = Math.max(peakAnonymousBytes, kilobytes * 1024);
}

async function listOnly(): Promise<number> {
  let count = 0;
  for await (const entry of new ImageStore({ imageRoots: ROOTS }).list(list)) {
    if (entry.kind === 'image') count += 1;
    if (count === 1 || count % 10_000 === 0) look(count);
  }
  return count;
}

async function listInto(folder: string): Promise<number> {
  const streams = openEmbeddedStreams(folder);
  const sources = [{ task: 'okvqa', images: list, imageRoots: ROOTS }] as const;
  const listing = startListing(streams, 'bench', { sources, config: {} }, new AbortController().signal);
  const looking = setInterval(() => look(listing.count), 5);
  const count = await listing.done;
  clearInterval(looking);
  await streams.close();
  return count;
}

const references = log === undefined ? await listOnly() : await listInto(log);
const cost: ListingCost = { firstSeconds, seconds: since(), peakAnonymousBytes, references };
console.log(JSON.stringify(cost));
