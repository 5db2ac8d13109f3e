import { readFileSync } from 'node:fs';
import { startListing } from '@mpa/cli';
import { openEmbeddedStreams } from '@mpa/streams';
import type { ListingCost } from './listing.js';

const [list, log] = process.argv.slice(2) as [string, string];
const began = performance.now();
const since = (): number => (performance.now() - began) / 1000;
const streams = openEmbeddedStreams(log);
const source = { task: 'okvqa', images: list, imageRoots: ['s3://corpus'] } as const;
const config = { annotator: {}, parity: {}, trainer: {}, evaluator: {} };
const listing = startListing(streams, 'bench', { sources: [source], config }, new AbortController().signal);

let firstSeconds = 0;
let peakAnonymousBytes = 0;
const watching = setInterval(() => {
  if (firstSeconds === 0 && listing.count > 0) firstSeconds = since();
  const kilobytes = Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  peakAnonymousBytes = Math.max(peakAnonymousBytes, kilobytes * 1024);
}, 5);
const records = await listing.done;
clearInterval(watching);
const cost: ListingCost = { firstSeconds, seconds: since(), peakAnonymousBytes, records };
await streams.close();
console.log(JSON.stringify(cost));
