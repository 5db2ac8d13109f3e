import type { Region } from '@mpa/alignment';
import { z } from 'zod';
import { CheckpointError } from '../checkpoint-error.js';
import { readBySchema, size } from '../config-schema.js';
import { imageSettings, normalizationOf } from '../image-settings.js';
import type { Normalization } from '../image/normalize.js';
import { resize } from '../image/resize.js';
import type { Resample } from '../image/resize.js';
import type { RgbImage } from '../image/rgb-image.js';
import type { ImageOptions, ProcessedImage } from '../processor.js';
import { cutTiles, tiledRegions, tileInputs } from '../tiles.js';
import type { TileGrid, TokenGrid } from '../tiles.js';
import type { SmolVlmConfig } from './config.js';
import { positionIds } from './position-ids.js';

/** Images are never scaled beyond this. Source: image_processing_smolvlm.py. */
const LONGEST_SIDE = 4096;

const edge = z.object({ longest_edge: size });
const schema = z.object({
  ...imageSettings,
  do_image_splitting: z.boolean().default(true),
  resample: imageSettings.resample.default(1),
  image_mean: imageSettings.image_mean.default([0.5, 0.5, 0.5]),
  image_std: imageSettings.image_std.default([0.5, 0.5, 0.5]),
  size: edge.default({ longest_edge: 4 * 364 }),
  max_image_size: edge.default({ longest_edge: 364 }),
});

/** Prepares images as transformers' Idefics3ImageProcessor and SmolVLMImageProcessor do. */
export class SmolVlmImageProcessor {
  private readonly split: boolean;
  private readonly longest: number;
  private readonly side: number;
  private readonly resample: Resample;
  private readonly normalization: Normalization;
  private readonly positions: Int32Array;
  private readonly tokens: TokenGrid;
  /** Image tokens that one tile becomes. */
  readonly tokensPerTile: number;

  /** `json` is the image processor's settings. Throws CheckpointError naming the setting that is wrong or not supported. */
  constructor(json: unknown, config: SmolVlmConfig) {
    const settings = readBySchema('preprocessor_config.json', schema, json);
    this.split = settings.do_image_splitting;
    this.longest = settings.size.longest_edge;
    this.side = settings.max_image_size.longest_edge;
    this.resample = settings.resample;
    this.normalization = normalizationOf(settings);
    if (this.side !== config.vision.imageSize) {
      throw new CheckpointError(
        `preprocessor_config.json: max_image_size.longest_edge is ${this.side}, but vision_config.image_size in ` +
          `config.json is ${config.vision.imageSize}; tiles of another size than the vision tower's are not supported`,
      );
    }
    const patches = Math.floor(this.side / config.vision.patchSize);
    this.positions = positionIds(patches);
    const tokens = patches / config.scaleFactor;
    this.tokens = { side: tokens, share: (config.vision.patchSize * config.scaleFactor) / this.side };
    this.tokensPerTile = tokens ** 2;
  }

  /** Scales the long side to `size`, then cuts into tiles (split) or squashes to one. */
  process(image: RgbImage, options: ImageOptions = {}): ProcessedImage {
    const scaled = this.resize(image, ...fitted(image, this.longest));
    const { views, rows, columns } =
      (options.split ?? this.split) ? this.tile(scaled) : { views: [this.square(scaled)], rows: 0, columns: 0 };
    return {
      vision: tileInputs(views, this.normalization, this.positions),
      rows,
      columns,
      tokens: views.length * this.tokensPerTile,
      width: image.width,
      height: image.height,
    };
  }

  /** Images are stretched to whole tiles, never padded: every tile is its share of the image, the last one all of it. */
  regions(image: TileGrid): Region[] {
    return tiledRegions(image, this.tokens);
  }

  private resize(image: RgbImage, width: number, height: number): RgbImage {
    return resize(image, width, height, this.resample);
  }

  private square(image: RgbImage): RgbImage {
    return this.resize(image, this.side, this.side);
  }

  /** Stretches to whole tiles; the tiles row by row, then the whole image as one tile. */
  private tile(image: RgbImage): TileGrid & { readonly views: readonly RgbImage[] } {
    const stretched = this.resize(image, ...wholeTiles(image, this.side));
    const tiles = cutTiles(stretched, this.side);
    if (tiles.length === 1) return { views: tiles, rows: 0, columns: 0 };
    const [rows, columns] = [stretched.height / this.side, stretched.width / this.side];
    return { views: [...tiles, this.square(stretched)], rows, columns };
  }
}

type Size = { readonly width: number; readonly height: number };

/** [width, height] with the long side at `longest`; the short side rounded down, plus one if odd. */
function fitted({ width, height }: Size, longest: number): [number, number] {
  const aspect = width / height;
  const even = (x: number): number => x + (x % 2);
  const [w, h] =
    width >= height
      ? [longest, Math.max(1, even(Math.trunc(longest / aspect)))]
      : [Math.max(1, even(Math.trunc(longest * aspect))), longest];
  if (w >= h && w > LONGEST_SIDE) return [LONGEST_SIDE, Math.max(1, Math.trunc(LONGEST_SIDE / (w / h)))];
  if (h > w && h > LONGEST_SIDE) return [Math.max(1, Math.trunc(LONGEST_SIDE * (w / h))), LONGEST_SIDE];
  return [w, h];
}

/** [width, height] rounded up to whole tiles, the long side first and the short side from the aspect ratio. */
function wholeTiles({ width, height }: Size, side: number): [number, number] {
  const aspect = width / height;
  const up = (x: number): number => Math.ceil(x / side) * side;
  if (width >= height) {
    const w = up(width);
    return [w, up(Math.trunc(w / aspect))];
  }
  const h = up(height);
  return [up(Math.trunc(h * aspect)), h];
}
