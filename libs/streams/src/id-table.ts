import { createHash } from 'node:crypto';

const SHARDS = 256;
/** 32-bit words of a digest. */
const WORDS = 4;
const FIRST_SLOTS = 16;
const FULL = 0.7;
/** Largest number of an id: a byte holds it. */
const LARGEST = 2 ** 8 - 1;

/**
 * A small number for each of many ids, in 24 to 49 bytes an id however long it is, and without the limit of 2^24 that `Map` and `Set` have. It keeps
 * the first 128 bits of their SHA-256: two of a billion ids are taken for one with a probability of 10^-21. Numbers are 1 to 255; an id without one has 0.
 */
export class IdTable {
  readonly #shards = Array.from({ length: SHARDS }, () => new Shard());

  /** Ids that have a number. */
  get size(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.size, 0);
  }

  /** Bytes of memory that it takes. */
  get bytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.bytes, 0);
  }

  get(id: string): number {
    const digest = digestOf(id);
    return this.#shardOf(digest).get(digest);
  }

  has(id: string): boolean {
    return this.get(id) !== 0;
  }

  /** Throws RangeError for a value that is not 1 to 255. */
  set(id: string, value: number): void {
    if (!(value >= 1 && value <= LARGEST)) throw new RangeError(`${value} is not 1 to ${LARGEST}`);
    const digest = digestOf(id);
    this.#shardOf(digest).set(digest, value);
  }

  /** Gives the id a number, if it has none: that it is there. */
  add(id: string): void {
    this.set(id, 1);
  }

  #shardOf(digest: Uint32Array): Shard {
    return this.#shards[digest[0]! % SHARDS]!;
  }
}

/** Open addressing with linear probing. */
class Shard {
  size = 0;
  #digests = new Uint32Array(FIRST_SLOTS * WORDS);
  #values = new Uint8Array(FIRST_SLOTS);

  get bytes(): number {
    return this.#digests.byteLength + this.#values.byteLength;
  }

  get(digest: Uint32Array): number {
    return this.#values[this.#find(digest)]!;
  }

  set(digest: Uint32Array, value: number): void {
    const slot = this.#find(digest);
    if (this.#values[slot] === 0) this.size += 1;
    this.#digests.set(digest, slot * WORDS);
    this.#values[slot] = value;
    if (this.size > FULL * this.#values.length) this.#grow();
  }

  /** The slot of the digest, or the free one where it would be. */
  #find(digest: Uint32Array): number {
    const slots = this.#values.length;
    let slot = digest[1]! % slots;
    while (this.#values[slot] !== 0 && !this.#isAt(slot, digest)) slot = (slot + 1) % slots;
    return slot;
  }

  #isAt(slot: number, digest: Uint32Array): boolean {
    for (let word = 0; word < WORDS; word++) {
      if (this.#digests[slot * WORDS + word] !== digest[word]) return false;
    }
    return true;
  }

  #grow(): void {
    const [digests, values] = [this.#digests, this.#values];
    this.#digests = new Uint32Array(2 * digests.length);
    this.#values = new Uint8Array(2 * values.length);
    for (const [old, value] of values.entries()) {
      if (value === 0) continue;
      const digest = digests.subarray(old * WORDS, (old + 1) * WORDS);
      const slot = this.#find(digest);
      this.#digests.set(digest, slot * WORDS);
      this.#values[slot] = value;
    }
  }
}

function digestOf(id: string): Uint32Array {
  const bytes = createHash('sha256').update(id, 'utf8').digest();
  return Uint32Array.from({ length: WORDS }, (_, i) => bytes.readUInt32LE(4 * i));
}
