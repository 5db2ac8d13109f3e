import type { RgbImage } from './image/rgb-image.js';

/** An image of pixels that a linear congruential generator makes; the scripts in test/fixtures/vlm make the same. */
export function noise(width: number, height: number, seed: number): RgbImage {
  let state = seed;
  const data = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return { width, height, data };
}
