import type { ModelShape } from './family.js';
import type { ImageInput } from './processor.js';

/** Where the tokens of a sequence stand. */
export interface TokenPositions {
  /** [T, axes]: one position a token, or with M-RoPE its time, row and column. */
  readonly positions: Int32Array;
  /** Position of the token that would come next, on every axis. */
  readonly next: number;
}

/**
 * Positions of a sequence. Text counts on by one. The tokens of an image with a `grid` share their time and have its rows and
 * columns; what follows stands one beyond the longer side. With `segments` [T], continuations of a shared beginning
 * (segment 0), each goes on from the end of the beginning. Source: transformers modeling_qwen2_vl.py, get_rope_index.
 */
export function tokenPositions(
  { imageTokenId, textRotary }: Pick<ModelShape, 'imageTokenId' | 'textRotary'>,
  ids: Int32Array,
  images: readonly Pick<ImageInput, 'grid'>[],
  segments?: Int32Array,
): TokenPositions {
  const axes = textRotary.axes ? 3 : 1;
  const positions = new Int32Array(ids.length * axes);
  const next = new Map<number, number>();
  const grids = images.flatMap(({ grid }) => (grid ? [grid] : []));
  for (let at = 0; at < ids.length;) {
    const segment = segments?.[at] ?? 0;
    const start = next.get(segment) ?? next.get(0) ?? 0;
    const { rows, columns } = (ids[at] === imageTokenId && grids.shift()) || { rows: 1, columns: 1 };
    for (let i = 0; i < rows * columns; i++, at++) {
      const offsets = [0, Math.floor(i / columns), i % columns];
      for (let axis = 0; axis < axes; axis++) positions[at * axes + axis] = start + offsets[axis]!;
    }
    next.set(segment, start + Math.max(rows, columns));
  }
  return { positions, next: next.get(0) ?? 0 };
}
