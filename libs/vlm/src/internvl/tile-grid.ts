import type { TileGrid } from '../tiles.js';

/**
 * The grid of `minTiles` to `maxTiles` tiles whose aspect ratio is nearest to the image's. Of equally near ones the larger, as long as
 * the image has more than half of its pixels. Source: transformers image_processing_got_ocr2.py, get_optimal_tiled_canvas.
 */
export function nearestGrid(
  { width, height }: { readonly width: number; readonly height: number },
  side: number,
  minTiles: number,
  maxTiles: number,
): TileGrid {
  let best = { rows: 1, columns: 1 };
  let least = Infinity;
  for (const grid of grids(minTiles, maxTiles)) {
    const difference = Math.abs(width / height - grid.columns / grid.rows);
    const isLargeEnough = width * height > 0.5 * side * side * grid.columns * grid.rows;
    if (difference < least || (difference === least && isLargeEnough)) best = grid;
    least = Math.min(least, difference);
  }
  return best;
}

/** By number of tiles, then narrow before wide. */
function grids(minTiles: number, maxTiles: number): TileGrid[] {
  const all: TileGrid[] = [];
  for (let columns = 1; columns <= maxTiles; columns++) {
    for (let rows = 1; rows * columns <= maxTiles; rows++) {
      if (rows * columns >= minTiles) all.push({ rows, columns });
    }
  }
  return all.sort((a, b) => a.rows * a.columns - b.rows * b.columns);
}
