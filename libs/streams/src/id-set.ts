import { hash } from 'node:crypto';

const SHARDS = 256;
/** 32-bit words of a digest. */
const WORDS = 4;
const FIRST_SLOTS = 16;
const FULL = 0.7;

/**
 * A set of ids that stays small: 23 to 46 bytes an id, whatever its length, and no limit of 2^24 as `Set` has. It keeps the first 128 bits of their
 * SHA-256, so that two of a billion ids are taken for one with a probability of 10^-21.
 */
export class IdSet {
  readonly #shards = Array.from({ length: SHARDS }, () => new Shard());

  /** Number of ids. */
  get size(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.size, 0);
  }

  has(id: string): boolean {
    const digest = digestOf(id);
    return this.#shardOf(digest).has(digest);
  }

  add(id: string): void {
    const digest = digestOf(id);
    this.#shardOf(digest).add(digest);
  }

  #shardOf(digest: Uint32Array): Shard {
    return this.#shards[digest[0]! % SHARDS]!;
  }
}

/** Open addressing with linear probing; a slot of zeros is free. */
class Shard {
  size = 0;
  #slots = new Uint32Array(FIRST_SLOTS * WORDS);

  has(digest: Uint32Array): boolean {
    return this.#slots[this.#find(digest)] !== 0;
  }

  add(digest: Uint32Array): void {
    const at = this.#find(digest);
    if (this.#slots[at] !== 0) return;
    this.#slots.set(digest, at);
    this.size += 1;
    if (this.size * WORDS > FULL * this.#slots.length) this.#grow();
  }

  /** Where the digest is, or the free slot where it would be. */
  #find(digest: Uint32Array): number {
    const slots = this.#slots;
    let at = (digest[1]! * WORDS) % slots.length;
    while (slots[at] !== 0) {
      let i = 0;
      while (i < WORDS && slots[at + i] === digest[i]) i++;
      if (i === WORDS) return at;
      at = (at + WORDS) % slots.length;
    }
    return at;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS) {
      const digest = old.subarray(at, at + WORDS);
      if (digest[0] !== 0) this.#slots.set(digest, this.#find(digest));
    }
  }
}

function digestOf(id: string): Uint32Array {
  const bytes = hash('sha256', id, 'buffer');
  const digest = new Uint32Array(WORDS);
  for (let i = 0; i < WORDS; i++) digest[i] = bytes.readUInt32LE(4 * i);
  // Zero marks a free slot.
  digest[0] ||= 1;
  return digest;
}
