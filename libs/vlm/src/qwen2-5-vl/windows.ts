import type { ImageGrid } from '../qwen2-vl/image-processor.js';
import type { PlainTensor } from '../vision-inputs.js';
import type { Qwen25VisionConfig } from './config.js';

/**
 * The patches of each window of an image [1, W, S]: squares of `windowSide` image tokens from the upper left corner on, smaller at the right
 * and lower edge, where -1 fills up. Source: transformers vision_utils.py, get_vision_window_index.
 */
export function windowsOf({ windowSide, mergeSize }: Qwen25VisionConfig, { rows, columns }: ImageGrid): PlainTensor {
  const perToken = mergeSize ** 2;
  const size = Math.min(windowSide, rows) * Math.min(windowSide, columns) * perToken;
  const across = Math.ceil(columns / windowSide);
  const windows = Math.ceil(rows / windowSide) * across;
  const data = new Int32Array(windows * size).fill(-1);
  const filled = new Int32Array(windows);
  for (let patch = 0; patch < rows * columns * perToken; patch++) {
    const token = Math.floor(patch / perToken);
    const [row, column] = [Math.floor(token / columns), token % columns];
    const window = Math.floor(row / windowSide) * across + Math.floor(column / windowSide);
    data[window * size + filled[window]!++] = patch;
  }
  return { data, shape: [1, windows, size] };
}
