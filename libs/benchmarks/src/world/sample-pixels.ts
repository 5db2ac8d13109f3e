import { IMAGE_SIZE, type DrawnSample } from './drawn-sample.js';

/**
 * The sample's image at `size` x `size`: RGB, 8 bits a channel, rows from the top. Each pixel is the mean of the square of the
 * image that it covers; `size` must divide `IMAGE_SIZE`, else RangeError.
 */
export function samplePixels({ pixels }: DrawnSample, size: number): Uint8Array {
  const side = IMAGE_SIZE / size;
  if (!Number.isInteger(side)) throw new RangeError(`size ${size} must divide ${IMAGE_SIZE}`);
  const small = new Uint8Array(size * size * 3);
  for (let y = 0, to = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let k = 0; k < 3; k++, to++) {
        let sum = 0;
        for (let dy = 0; dy < side; dy++) {
          const row = ((y * side + dy) * IMAGE_SIZE + x * side) * 3 + k;
          for (let dx = 0; dx < side; dx++) sum += pixels[row + dx * 3] as number;
        }
        small[to] = Math.round(sum / (side * side));
      }
    }
  }
  return small;
}
