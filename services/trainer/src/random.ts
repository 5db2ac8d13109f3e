import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Seeded random numbers: the same seed gives the same sequence on every machine. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
}

/** Random numbers from a 32-bit seed; neighbouring seeds give unlike sequences. */
export function seededRandom(seed: number): SeededRandom {
  const generator = xoroshiro128plus(scattered(seed));
  // The state starts with the seed in a quarter of its bits: until it has spread, numbers hang together.
  for (let i = 0; i < SPREADING; i++) generator.next();
  const uniform = (): number => (generator.next() >>> 0) / 0x1_0000_0000;
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

const SPREADING = 20;

/** A bijection of 32-bit numbers that turns near ones into far ones. Source: the final mix of MurmurHash3. */
function scattered(seed: number): number {
  let h = seed >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
