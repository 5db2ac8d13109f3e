import type { AlignedSample } from './aligned-sample.js';

/** What is learnt from, in a fixed order. */
export interface TrainingSource {
  /** Number of samples. */
  readonly size: number;
  /** Changes with what is in it: a saved state is gone on with only for the same samples. */
  readonly fingerprint: string;
  /** Sample `index`, read and prepared when asked for. */
  load(index: number): Promise<AlignedSample>;
}

/**
 * The order of samples: every epoch a new permutation that follows from the seed, so that a resumed run sees what an
 * undisturbed one sees. Position `n` counts samples from the start of the training.
 */
export function sampleAt(position: number, size: number, seed: number): number {
  const epoch = Math.floor(position / size);
  return permute(position % size, size, (seed ^ Math.imul(epoch + 1, 0x9e3779b1)) >>> 0);
}

/** A source of `samples` samples: those of `source`, epoch after epoch, the last one as far as it goes. */
export function repeated({ size, fingerprint, load }: TrainingSource, samples: number, seed: number): TrainingSource {
  return {
    size: samples,
    fingerprint: `${fingerprint} ${samples} ${seed}`,
    load: (index) => load(sampleAt(index, size, seed)),
  };
}

/** A seeded bijection of 0..size-1: a Feistel network over the next power of four, walked until it lands inside. */
function permute(index: number, size: number, key: number): number {
  const half = Math.max(1, Math.ceil(Math.log2(Math.max(2, size)) / 2));
  const mask = 2 ** half - 1;
  let value = index;
  do {
    let [left, right] = [Math.floor(value / 2 ** half), value & mask];
    for (let round = 0; round < 4; round++) {
      let mixed = Math.imul(right ^ key ^ Math.imul(round + 1, 0x85ebca6b), 0xc2b2ae35);
      mixed ^= mixed >>> 15;
      [left, right] = [right, left ^ ((Math.imul(mixed, 0x27d4eb2f) >>> 7) & mask)];
    }
    value = left * 2 ** half + right;
  } while (value >= size);
  return value;
}
