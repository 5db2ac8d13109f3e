import type { RgbImage } from './rgb-image.js';

/** Noise that the scripts beside the fixtures make, too. */
export function noiseImage(width: number, height: number, seed: number): RgbImage {
  let state = seed;
  const data = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return { width, height, data };
}
