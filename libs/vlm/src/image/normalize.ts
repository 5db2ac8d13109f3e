import type { RgbImage } from './rgb-image.js';

/** How pixels become numbers, per channel. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Multiplies the 8-bit value first; 1/255. */
  readonly rescale: number;
}

/**
 * Writes `(x - mean / rescale) / (deviation / rescale)` into `out` at `offset`, channel by channel [3, height, width], rounded
 * to float32 after each of the two steps, as transformers' fused rescale-and-normalise does.
 */
export function normalizeInto(out: Float32Array, offset: number, image: RgbImage, how: Normalization): void {
  const plane = image.width * image.height;
  const inverse = Math.fround(1 / how.rescale);
  for (let channel = 0; channel < 3; channel++) {
    const mean = Math.fround(Math.fround(how.mean[channel]!) * inverse);
    const deviation = Math.fround(Math.fround(how.deviation[channel]!) * inverse);
    const table = Float32Array.from({ length: 256 }, (_, value) => Math.fround(value - mean) / deviation);
    const to = offset + channel * plane;
    for (let i = 0, from = channel; i < plane; i++, from += 3) out[to + i] = table[image.data[from]!]!;
  }
}
