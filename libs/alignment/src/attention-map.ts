import { normalised } from './divergence.js';

/** Attention maps are the mean over so many of the last layers, or over all of a model with fewer. */
export const ATTENTION_LAYERS = 2;

/** Part of an image, in shares of its width and height: left, top, right, bottom in [0, 1]. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Share of each region's area that lies in each cell of a `grid` x `grid` raster over the image, row-major
 * [regions, grid * grid]; each row sums to 1. Attention [regions] times this is attention over the image itself, whatever tiles
 * and patches a model cuts it into. Throws RangeError for a region without an area inside the image.
 */
export function areaShares(regions: readonly Region[], grid: number): Float32Array {
  const shares = new Float32Array(regions.length * grid * grid);
  regions.forEach((region, i) => {
    const columns = overlaps(region.left, region.right, grid);
    const rows = overlaps(region.top, region.bottom, grid);
    rows.forEach((row, y) => columns.forEach((column, x) => (shares[(i * grid + y) * grid + x] = row * column)));
  });
  return shares;
}

/** How a stretch of [0, 1] is shared among `count` equal parts of it. */
function overlaps(from: number, to: number, count: number): number[] {
  const lengths = Array.from({ length: count }, (_, i) =>
    Math.max(0, Math.min(to, (i + 1) / count) - Math.max(from, i / count)),
  );
  const sum = lengths.reduce((a, b) => a + b, 0);
  if (!(sum > 0)) throw new RangeError(`a region from ${from} to ${to} has no area inside the image`);
  return lengths.map((length) => length / sum);
}

/** Attention to regions [regions], moved to the cells of {@link areaShares} and scaled to sum to 1: [grid * grid]. */
export function attentionMap(attention: ArrayLike<number>, shares: Float32Array): number[] {
  const cells = shares.length / attention.length;
  const map = new Float64Array(cells);
  for (let i = 0; i < attention.length; i++) {
    for (let cell = 0; cell < cells; cell++) map[cell]! += attention[i]! * shares[i * cells + cell]!;
  }
  return normalised(map);
}
