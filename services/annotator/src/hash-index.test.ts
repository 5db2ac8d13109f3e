import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { HashIndex, MOST_DISTANCE } from './hash-index.js';

const hashOf = (text: string): bigint => createHash('sha256').update(text).digest().readBigUInt64BE();
const idOf = (i: number): string => createHash('sha256').update(`${i}`).digest('hex').slice(0, 32);
const bitsApart = (a: bigint, b: bigint): number => [...(a ^ b).toString(2)].filter((bit) => bit === '1').length;

/** Turns `count` different bits. */
function turned(hash: bigint, count: number, seed: number): bigint {
  let bits = 0n;
  for (let i = seed; bitsApart(bits, 0n) < count; i = (i * 37 + 11) % 64) bits |= 1n << BigInt(i % 64);
  return hash ^ bits;
}

describe('HashIndex', () => {
  it.each([0, 3, 4, MOST_DISTANCE])('finds what a search through all finds, up to a distance of %d', (distance) => {
    const index = new HashIndex(distance);
    const hashes = Array.from({ length: 1000 }, (_, i) => (i % 5 === 0 ? hashOf(`${i}`) : turned(hashOf(`${i - (i % 5)}`), i % 17, i))); // prettier-ignore
    hashes.forEach((hash, i) => index.add(hash, idOf(i)));
    for (let i = 0; i < 100; i++) {
      const wanted = turned(hashes[i * 5]!, i % 16, i);
      const distances = hashes.map((hash) => bitsApart(hash, wanted));
      const closest = Math.min(...distances);
      const expected = closest <= distance ? idOf(distances.indexOf(closest)) : undefined;
      if (index.find(wanted) !== expected) expect(index.find(wanted), `${i}`).toBe(expected);
    }
  });

  it('keeps ids of any form', () => {
    const index = new HashIndex(0);
    const ids = ['s1', 'ABCDEF0123456789ABCDEF0123456789', randomBytes(16).toString('hex')];
    ids.forEach((id) => index.add(hashOf(id), id));
    expect(ids.map((id) => index.find(hashOf(id)))).toEqual(ids);
    expect(index.find(hashOf('other'))).toBeUndefined();
  });
});
