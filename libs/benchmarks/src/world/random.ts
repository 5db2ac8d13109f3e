import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A 32-bit hash of a string (FNV-1a with a final mix), equal on every machine. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Random choices that follow from the key alone: the same key gives the same sequence. */
export class Random {
  private readonly generator: RandomGenerator;

  constructor(key: string) {
    this.generator = xoroshiro128plus(hash(key));
  }

  /** Uniform in [low, high). */
  real(low = 0, high = 1): number {
    return low + ((this.generator.next() >>> 0) / 0x1_0000_0000) * (high - low);
  }

  /** Uniform integer in [low, high], both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.real() * (high - low + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.real() < probability;
  }

  /** One element of a list that is not empty. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('cannot pick from an empty list');
    return items[this.int(0, items.length - 1)] as T;
  }

  /** `count` different elements (all of them, shuffled, when there are fewer). */
  sample<T>(items: readonly T[], count = items.length): T[] {
    const rest = [...items];
    const out: T[] = [];
    while (out.length < count && rest.length > 0) out.push(...rest.splice(this.int(0, rest.length - 1), 1));
    return out;
  }
}
