import type { Region } from '@mpa/alignment';
import { crop } from './image/crop.js';
import { normalizeInto } from './image/normalize.js';
import type { Normalization } from './image/normalize.js';
import type { RgbImage } from './image/rgb-image.js';
import type { InputDeclaration, PlainTensor, VisionInputs } from './vision-inputs.js';

/** How an image is split: tiles per column and per row; both 0 when it is not. */
export interface TileGrid {
  readonly rows: number;
  readonly columns: number;
}

/** Where a tile's image tokens lie: so many along each side, each covering this share of it. */
export interface TokenGrid {
  readonly side: number;
  readonly share: number;
}

/** Cuts an image of whole tiles, `side` pixels each, row by row. */
export function cutTiles(image: RgbImage, side: number): RgbImage[] {
  const columns = image.width / side;
  return Array.from({ length: columns * (image.height / side) }, (_, i) =>
    crop(image, (i % columns) * side, Math.floor(i / columns) * side, side, side),
  );
}

/** The vision tower's inputs of square views of one size; each has the patches of `positions`. */
export function tileInputs(
  views: readonly RgbImage[],
  normalization: Normalization,
  positions: Int32Array,
): VisionInputs<PlainTensor> {
  const side = views[0]!.width;
  const size = 3 * side ** 2;
  const pixels = new Float32Array(views.length * size);
  views.forEach((view, i) => normalizeInto(pixels, i * size, view, normalization));
  const positionIds = Int32Array.from(
    { length: views.length * positions.length },
    (_, i) => positions[i % positions.length]!,
  );
  return {
    pixels: { data: pixels, shape: [views.length, 3, side, side] },
    positionIds: { data: positionIds, shape: [views.length, positions.length] },
  };
}

/** How {@link tileInputs} of tiles of `side` pixels and so many patches are declared. */
export function declareTiles(side: number, patches: number): VisionInputs<InputDeclaration> {
  return {
    pixels: { type: 'float32', shape: ['tiles', 3, side, side] },
    positionIds: { type: 'int32', shape: ['tiles', patches] },
  };
}

/** Indices of a tile's patches, so many along each side, row by row. */
export function patchIndices(side: number): Int32Array {
  return Int32Array.from({ length: side ** 2 }, (_, i) => i);
}

/**
 * What part of the image each image token stands for, when the image was stretched to whole tiles (never padded) and a view of all
 * of it comes last.
 */
export function tiledRegions({ rows, columns }: TileGrid, tokens: TokenGrid): Region[] {
  const tiles = Array.from({ length: rows * columns }, (_, i) =>
    tokenRegions(tokens, {
      left: (i % columns) / columns,
      right: (i % columns) / columns + 1 / columns,
      top: Math.floor(i / columns) / rows,
      bottom: Math.floor(i / columns) / rows + 1 / rows,
    }),
  );
  return [...tiles.flat(), ...tokenRegions(tokens, { left: 0, right: 1, top: 0, bottom: 1 })];
}

/** What each token of a tile stands for, row by row, when the tile is this part of the image. */
export function tokenRegions({ side, share }: TokenGrid, { left, right, top, bottom }: Region): Region[] {
  const [width, height] = [(right - left) * share, (bottom - top) * share];
  return Array.from({ length: side ** 2 }, (_, i) => {
    const [row, column] = [Math.floor(i / side), i % side];
    return {
      left: left + column * width,
      right: left + (column + 1) * width,
      top: top + row * height,
      bottom: top + (row + 1) * height,
    };
  });
}
