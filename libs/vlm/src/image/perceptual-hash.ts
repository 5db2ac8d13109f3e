import { resize } from './resize.js';
import type { RgbImage } from './rgb-image.js';

/** Pixels a side of the small copy, and coefficients a side that count. */
const SIDE = 32;
const KEPT = 8;
const BILINEAR = 2;

/** [KEPT * SIDE]: cosines of the first frequencies. */
const COSINES = Float64Array.from({ length: KEPT * SIDE }, (_, i) =>
  Math.cos((Math.PI * Math.floor(i / SIDE) * (2 * (i % SIDE) + 1)) / (2 * SIDE)),
);

/**
 * The 64-bit DCT hash of an image: images that look alike differ in few bits, whatever their size and compression. Each bit
 * says whether a low frequency of the luminance, on 32 x 32 pixels, is above the median of all 64. C. Zauner, "Implementation and
 * Benchmarking of Perceptual Image Hash Functions" (2010), section 3.2.1.
 */
export function perceptualHash(image: RgbImage): bigint {
  const { data } = resize(image, SIDE, SIDE, BILINEAR);
  const luminance = Float64Array.from(
    { length: SIDE * SIDE },
    (_, i) => 0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!,
  );
  const rows = transformed(luminance, SIDE);
  const frequencies = transformed(rows, KEPT);
  const sorted = frequencies.toSorted();
  const median = (sorted[31]! + sorted[32]!) / 2;
  let hash = 0n;
  for (const frequency of frequencies) hash = (hash << 1n) | (frequency > median ? 1n : 0n);
  return hash;
}

/** The first frequencies of each of `count` rows of SIDE values, turned over: [KEPT, count]. */
function transformed(values: Float64Array, count: number): Float64Array {
  const result = new Float64Array(KEPT * count);
  for (let frequency = 0; frequency < KEPT; frequency++) {
    for (let row = 0; row < count; row++) {
      let sum = 0;
      for (let i = 0; i < SIDE; i++) sum += values[row * SIDE + i]! * COSINES[frequency * SIDE + i]!;
      result[frequency * count + row] = sum;
    }
  }
  return result;
}
