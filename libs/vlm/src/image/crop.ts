import type { RgbImage } from './rgb-image.js';

/**
 * Copies the rectangle of `width` x `height` pixels at (left, top); what of it lies outside the image is filled with the colour
 * `fill`, by default black.
 */
export function crop(
  image: RgbImage,
  left: number,
  top: number,
  width: number,
  height: number,
  fill: readonly [number, number, number] = [0, 0, 0],
): RgbImage {
  const data = new Uint8Array(3 * width * height);
  const isInside = left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height;
  if (!isInside) data.forEach((_, i) => (data[i] = fill[i % 3]!));
  const [from, to] = [Math.max(left, 0), Math.min(left + width, image.width)];
  for (let y = Math.max(top, 0); y < Math.min(top + height, image.height); y++) {
    const row = 3 * y * image.width;
    data.set(image.data.subarray(row + 3 * from, row + 3 * to), 3 * ((y - top) * width + from - left));
  }
  return { width, height, data };
}
