import { randomBytes } from 'node:crypto';
import { HashIndex } from '@mpa/annotator';

const SIZES = [1_000_000, 4_000_000];
const SEARCHES = 2_000;
/** Bits in which a near-duplicate may differ, the annotator's default, and 0 for images of the same bytes. */
const DISTANCES = [0, 4];

/** Prints how long the annotator searches an image's duplicates among so many fingerprints. */
export function printDuplicates(): void {
  for (const distance of DISTANCES) {
    const index = new HashIndex(distance);
    let added = 0;
    for (const size of SIZES) {
      for (; added < size; added++) index.add(fingerprint(), randomBytes(16).toString('hex'));
      const searched = Array.from({ length: SEARCHES }, fingerprint);
      const began = performance.now();
      for (const each of searched) index.find(each);
      const microseconds = (1_000 * (performance.now() - began)) / SEARCHES;
      console.log(`duplicates: distance ${distance}, ${size} fingerprints: ${microseconds.toFixed(1)} µs a search`);
    }
  }
}

function fingerprint(): bigint {
  return randomBytes(8).readBigUInt64BE();
}
