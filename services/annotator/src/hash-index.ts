/** Largest distance in bits that is searched for: beyond it, images are hardly alike. */
export const MOST_DISTANCE = 11;

const BANDS = 4;
const BAND_VALUES = 2 ** 16;
const ID_BYTES = 16;
const GROWTH = 1.25;

/**
 * Samples by a 64-bit hash, to be found by hashes that differ in few bits. Hashes within `d` bits agree in one of four 16-bit
 * bands up to `d / 4` bits, so only those that do are compared: multi-index hashing, Norouzi et al., CVPR 2012. Takes 28 bytes a
 * sample for distance 0, and 40 otherwise; a quarter more after it has grown.
 */
export class HashIndex {
  #size = 0;
  #capacity = 0;
  /** [capacity, 2] */
  #hashes = new Uint32Array(0);
  /** [capacity, ID_BYTES] */
  #ids = new Uint8Array(0);
  /** Ids that are not 32 hexadecimal digits, by position. */
  readonly #otherIds = new Map<number, string>();
  /** By band and value, the last entry that has it, and by band and entry, the one before; -1 for none. */
  readonly #last: Int32Array[];
  #before: Int32Array[];
  readonly #flips: readonly number[];

  /** @param distance most bits in which a found hash may differ, at most {@link MOST_DISTANCE} */
  constructor(private readonly distance: number) {
    const bands = distance === 0 ? 1 : BANDS;
    this.#last = Array.from({ length: bands }, () => new Int32Array(BAND_VALUES).fill(-1));
    this.#before = this.#last.map(() => new Int32Array(0));
    this.#flips = flips(Math.floor(distance / BANDS));
  }

  /** Adds a sample. */
  add(hash: bigint, id: string): void {
    if (this.#size === this.#capacity) this.#grow();
    const at = this.#size++;
    this.#hashes.set(halves(hash), 2 * at);
    if (/^[0-9a-f]{32}$/.test(id)) this.#ids.set(Buffer.from(id, 'hex'), at * ID_BYTES);
    else this.#otherIds.set(at, id);
    for (const [band, last] of this.#last.entries()) {
      const value = bandOf(hash, band);
      this.#before[band]![at] = last[value]!;
      last[value] = at;
    }
  }

  /** The sample whose hash is closest, within the distance; the first added of several. */
  find(hash: bigint): string | undefined {
    const [high, low] = halves(hash);
    let found = -1;
    let closest = this.distance + 1;
    for (const [band, last] of this.#last.entries()) {
      const value = bandOf(hash, band);
      for (const flip of this.#flips) {
        for (let at = last[value ^ flip]!; at >= 0; at = this.#before[band]![at]!) {
          const apart = ones(this.#hashes[2 * at]! ^ high!) + ones(this.#hashes[2 * at + 1]! ^ low!);
          if (apart > closest || (apart === closest && at > found)) continue;
          found = at;
          closest = apart;
        }
      }
    }
    return found < 0 || closest > this.distance ? undefined : this.#idAt(found);
  }

  #idAt(at: number): string {
    const bytes = this.#ids.subarray(at * ID_BYTES, (at + 1) * ID_BYTES);
    return this.#otherIds.get(at) ?? Buffer.from(bytes).toString('hex');
  }

  #grow(): void {
    this.#capacity = Math.max(1024, Math.ceil(this.#capacity * GROWTH));
    this.#hashes = grown(Uint32Array, this.#hashes, 2 * this.#capacity);
    this.#ids = grown(Uint8Array, this.#ids, ID_BYTES * this.#capacity);
    this.#before = this.#before.map((band) => grown(Int32Array, band, this.#capacity));
  }
}

function grown<T extends Uint8Array | Uint32Array | Int32Array>(
  make: new (length: number) => T,
  old: T,
  length: number,
): T {
  const larger = new make(length);
  larger.set(old);
  return larger;
}

function halves(hash: bigint): number[] {
  return [Number(hash >> 32n), Number(hash & 0xffffffffn)];
}

function bandOf(hash: bigint, band: number): number {
  return Number((hash >> BigInt(16 * band)) & 0xffffn);
}

function ones(bits: number): number {
  let x = bits >>> 0;
  x -= (x >>> 1) & 0x55555555;
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** 16-bit values with at most so many ones. */
function flips(most: number): number[] {
  return Array.from({ length: BAND_VALUES }, (_, value) => value).filter((value) => ones(value) <= most);
}
