import type { PlainTensor } from '@mpa/vlm';
import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';
import { HIDDEN } from './attention.js';
import { gatherRows } from './rows.js';

/** Which patches make up the windows of N views: W windows of up to S patches in each. Made outside the gradient's function. */
export interface Windows {
  /** int32 [N*W*S]: the patch in each slot, counted over all views; N*P where a window has fewer than S. */
  readonly patches: Tensor;
  /** int32 [N*P]: the slot of each patch. */
  readonly slots: Tensor;
  /** [N*W, 1, 1, S]: 0 where a slot has a patch, -1e9 where not. */
  readonly mask: Tensor;
}

/** The windows [N, W, S] of a tower's inputs, -1 for a patch that is missing. */
export function windowsOf({ data, shape }: PlainTensor, patches: number): Windows {
  const [views, windows, size] = shape as [number, number, number];
  const slots = new Int32Array(views * patches);
  const inSlots = Int32Array.from(data, (patch, slot) => {
    if (patch < 0) return views * patches;
    const counted = Math.floor(slot / (windows * size)) * patches + patch;
    slots[counted] = slot;
    return counted;
  });
  const mask = Float32Array.from(data, (patch) => (patch < 0 ? HIDDEN : 0));
  return {
    patches: tf.tensor1d(inSlots, 'int32'),
    slots: tf.tensor1d(slots, 'int32'),
    mask: tf.tensor4d(mask, [views * windows, 1, 1, size]),
  };
}

/** [N, P, D] -> [N*W, S, D], 0 where a patch is missing. */
export function intoWindows(x: Tensor, { patches, slots, mask }: Windows): Tensor {
  const width = x.shape[2]!;
  return gatherRows(x.reshape([-1, width]), patches, slots).reshape([mask.shape[0], mask.shape[3]!, width]);
}

/** [N*W, S, D] -> [N, P, D] of the shape `like`. */
export function outOfWindows(x: Tensor, { patches, slots }: Windows, like: readonly number[]): Tensor {
  return gatherRows(x.reshape([-1, x.shape[2]!]), slots, patches).reshape([...like]);
}
