import { createCanvas } from '@napi-rs/canvas';
import type { DrawnSample } from './drawn-sample.js';

/** The sample's image at `size` x `size`, resampled with good quality: RGB, 8 bits a channel, rows from the top. */
export function samplePixels(sample: DrawnSample, size: number): Uint8Array {
  const context = createCanvas(size, size).getContext('2d');
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = 'high';
  context.drawImage(sample.image, 0, 0, size, size);
  const rgba = context.getImageData(0, 0, size, size).data;
  const rgb = new Uint8Array(size * size * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from] ?? 0;
    rgb[to++] = rgba[from + 1] ?? 0;
    rgb[to++] = rgba[from + 2] ?? 0;
  }
  return rgb;
}
