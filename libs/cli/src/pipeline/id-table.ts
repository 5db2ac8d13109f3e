import { createHash } from 'node:crypto';

/** Slots of an empty table, and the share of them that may be taken. */
const SMALLEST = 1024;
const FULL = 0.7;

/**
 * A small number for each of many ids, in about 20 bytes an id, however long it is: ids are told apart by 64 bits of their
 * SHA-256. Numbers are 1 to 255; an id without one has 0.
 */
export class IdTable {
  #keys = new BigUint64Array(SMALLEST);
  #values = new Uint8Array(SMALLEST);
  #size = 0;

  /** Ids that have a number. */
  get size(): number {
    return this.#size;
  }

  get(id: string): number {
    return this.#values[this.#slot(keyOf(id))]!;
  }

  set(id: string, value: number): void {
    const key = keyOf(id);
    const slot = this.#slot(key);
    if (this.#values[slot] === 0) this.#size += 1;
    this.#keys[slot] = key;
    this.#values[slot] = value;
    if (this.#size > FULL * this.#keys.length) this.#grow();
  }

  /** Where a key is, or else the free slot for it. */
  #slot(key: bigint): number {
    const mask = this.#keys.length - 1;
    let slot = Number(key & BigInt(mask));
    while (this.#values[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new BigUint64Array(2 * keys.length);
    this.#values = new Uint8Array(2 * keys.length);
    for (const [i, value] of values.entries()) {
      if (value === 0) continue;
      const slot = this.#slot(keys[i]!);
      this.#keys[slot] = keys[i]!;
      this.#values[slot] = value;
    }
  }
}

function keyOf(id: string): bigint {
  return createHash('sha256').update(id).digest().readBigUInt64LE();
}
