import type { Tensor } from '../tf.js';

/**
 * Cuts pixels [N, 3, h, w] into rows [N, P, 3*p*p], patch by patch, each in the order (channel, y, x) of a flattened
 * convolution kernel; pixels beyond the last whole patch are dropped, as a convolution of stride p does.
 */
export function cutPatches(pixels: Tensor, size: number): Tensor {
  const [tiles = 0, channels = 0, height = 0, width = 0] = pixels.shape;
  const rows = Math.floor(height / size);
  const columns = Math.floor(width / size);
  return pixels
    .slice([0, 0, 0, 0], [tiles, channels, rows * size, columns * size])
    .reshape([tiles * channels, rows, size, columns, size])
    .transpose([0, 1, 3, 2, 4])
    .reshape([tiles, channels, rows * columns, size * size])
    .transpose([0, 2, 1, 3])
    .reshape([tiles, rows * columns, channels * size * size]);
}

/** Every `count` neighbours in a row as one: [N, P, D] -> [N, P/count, count*D]. */
export function joinPatches(x: Tensor, count: number): Tensor {
  const [views = 0, patches = 0, width = 0] = x.shape;
  return x.reshape([views, patches / count, count * width]);
}

/**
 * Space to depth: [N, P, D] of a square grid -> [N, P/s^2, D*s^2], channels ordered (row, column, D).
 * Source: transformers modeling_idefics3.py, pixel_shuffle.
 */
export function pixelShuffle(x: Tensor, scale: number): Tensor {
  const [tiles = 0, patches = 0, width = 0] = x.shape;
  const side = Math.sqrt(patches);
  const small = side / scale;
  return x
    .reshape([tiles * small, scale, small, scale * width])
    .transpose([0, 2, 1, 3])
    .reshape([tiles, small * small, scale * scale * width]);
}
