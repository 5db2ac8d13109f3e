import type { Region } from '@mpa/alignment';
import { z } from 'zod';
import { CheckpointError } from '../checkpoint-error.js';
import { readBySchema, size } from '../config-schema.js';
import { CLIP_MEAN, CLIP_STD, imageSettings, normalizationOf } from '../image-settings.js';
import type { Normalization } from '../image/normalize.js';
import { resize } from '../image/resize.js';
import type { Resample } from '../image/resize.js';
import type { RgbImage } from '../image/rgb-image.js';
import type { ImageOptions, ProcessedImage } from '../processor.js';
import { cutTiles, patchIndices, tiledRegions, tileInputs } from '../tiles.js';
import type { TileGrid, TokenGrid } from '../tiles.js';
import type { InternVlConfig } from './config.js';
import { nearestGrid } from './tile-grid.js';

const schema = z.object({
  ...imageSettings,
  resample: imageSettings.resample.default(3),
  image_mean: imageSettings.image_mean.default(CLIP_MEAN),
  image_std: imageSettings.image_std.default(CLIP_STD),
  size: z.object({ height: size, width: size }).default({ height: 384, width: 384 }),
  min_patches: size.default(1),
  max_patches: size.default(12),
});

/** Prepares images as transformers' GotOcr2ImageProcessor does for an InternVLProcessor. */
export class InternVlImageProcessor {
  private readonly side: number;
  private readonly resample: Resample;
  private readonly normalization: Normalization;
  private readonly minTiles: number;
  private readonly maxTiles: number;
  private readonly positions: Int32Array;
  private readonly tokens: TokenGrid;
  /** Image tokens that one tile becomes. */
  readonly tokensPerTile: number;

  /** `json` is the image processor's settings. Throws CheckpointError naming the setting that is wrong or not supported. */
  constructor(json: unknown, { vision, scaleFactor }: InternVlConfig) {
    const settings = readBySchema('preprocessor_config.json', schema, json);
    this.side = vision.imageSize;
    if (settings.size.height !== this.side || settings.size.width !== this.side) {
      throw new CheckpointError(
        `preprocessor_config.json: size is ${settings.size.width} x ${settings.size.height}, but vision_config.image_size in ` +
          `config.json is ${this.side}; tiles of another size than the vision tower's are not supported`,
      );
    }
    this.resample = settings.resample;
    this.normalization = normalizationOf(settings);
    this.minTiles = settings.min_patches;
    this.maxTiles = settings.max_patches;
    const patches = Math.floor(this.side / vision.patchSize);
    this.positions = patchIndices(patches);
    const tokens = patches / scaleFactor;
    this.tokens = { side: tokens, share: (vision.patchSize * scaleFactor) / this.side };
    this.tokensPerTile = tokens ** 2;
  }

  /**
   * Stretches to a grid of tiles and adds the whole image as one more if they are several. Splits unless told otherwise, whatever the
   * checkpoint's `crop_to_patches` says, as InternVLProcessor does.
   */
  process(image: RgbImage, { split = true, maxTiles = this.maxTiles }: ImageOptions = {}): ProcessedImage {
    const grid = split ? nearestGrid(image, this.side, this.minTiles, maxTiles) : { rows: 1, columns: 1 };
    const isSplit = grid.rows * grid.columns > 1;
    const stretched = resize(image, grid.columns * this.side, grid.rows * this.side, this.resample);
    const tiles = cutTiles(stretched, this.side);
    const views = isSplit ? [...tiles, resize(image, this.side, this.side, this.resample)] : tiles;
    return {
      vision: tileInputs(views, this.normalization, this.positions),
      rows: isSplit ? grid.rows : 0,
      columns: isSplit ? grid.columns : 0,
      tokens: views.length * this.tokensPerTile,
      width: image.width,
      height: image.height,
    };
  }

  /** Every tile is its share of the image, the last one all of it. */
  regions(image: TileGrid): Region[] {
    return tiledRegions(image, this.tokens);
  }
}
