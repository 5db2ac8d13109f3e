import type { PlanarImage } from './resize.js';
import type { RgbImage } from './rgb-image.js';

/** Separates the channels: [height, width, 3] -> [3, height, width]. */
export function toPlanar({ width, height, data }: RgbImage): PlanarImage {
  const plane = width * height;
  const planar = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    planar[i] = data[3 * i]!;
    planar[plane + i] = data[3 * i + 1]!;
    planar[2 * plane + i] = data[3 * i + 2]!;
  }
  return { width, height, data: planar };
}

/** Copies the rectangle of `width` x `height` pixels at (left, top). */
export function crop(image: PlanarImage, left: number, top: number, width: number, height: number): PlanarImage {
  const data = new Uint8Array(3 * width * height);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y++) {
      const from = (channel * image.height + top + y) * image.width + left;
      data.set(image.data.subarray(from, from + width), (channel * height + y) * width);
    }
  }
  return { width, height, data };
}

/** How pixels become numbers, per channel. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Multiplies the 8-bit value first; 1/255. */
  readonly rescale: number;
}

/**
 * `(x - mean / rescale) / (deviation / rescale)` into `out` at `offset`, rounded to float32 after each of the two steps, as
 * transformers' fused rescale-and-normalise does.
 */
export function normalizeInto(out: Float32Array, offset: number, image: PlanarImage, how: Normalization): void {
  const plane = image.width * image.height;
  const table = new Float32Array(256);
  for (let channel = 0; channel < 3; channel++) {
    const inverse = Math.fround(1 / how.rescale);
    const mean = Math.fround(Math.fround(how.mean[channel]!) * inverse);
    const deviation = Math.fround(Math.fround(how.deviation[channel]!) * inverse);
    for (let value = 0; value < 256; value++) table[value] = Math.fround(value - mean) / deviation;
    const from = channel * plane;
    for (let i = 0; i < plane; i++) out[offset + from + i] = table[image.data[from + i]!]!;
  }
}
