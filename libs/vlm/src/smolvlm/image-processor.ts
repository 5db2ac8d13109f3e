import type { Region } from '@mpa/alignment';
import { z } from 'zod';
import { CheckpointError } from '../checkpoint-error.js';
import { crop } from '../image/crop.js';
import { normalizeInto } from '../image/normalize.js';
import type { Normalization } from '../image/normalize.js';
import { resize } from '../image/resize.js';
import type { Resample } from '../image/resize.js';
import type { RgbImage } from '../image/rgb-image.js';
import type { ProcessedImage } from '../processor.js';
import type { SmolVlmConfig } from './config.js';
import { positionIds } from './position-ids.js';

/** Images are never scaled beyond this. Source: image_processing_smolvlm.py. */
const LONGEST_SIDE = 4096;

const edge = z.object({ longest_edge: z.number().int().positive() });
const channels = z.tuple([z.number(), z.number(), z.number()]);
const schema = z.object({
  do_resize: z.literal(true).default(true),
  do_rescale: z.literal(true).default(true),
  do_normalize: z.literal(true).default(true),
  do_image_splitting: z.boolean().default(true),
  resample: z.union([z.literal(1), z.literal(2), z.literal(3)]).default(1),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  image_mean: channels.default([0.5, 0.5, 0.5]),
  image_std: channels.default([0.5, 0.5, 0.5]),
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
  /** Image tokens along one side of a tile, and the share of that side that each covers. */
  private readonly tokens: { readonly side: number; readonly share: number };
  /** Image tokens that one tile becomes. */
  readonly tokensPerTile: number;

  /** `json` is the image processor's settings. Throws CheckpointError naming the setting that is wrong or not supported. */
  constructor(json: unknown, config: SmolVlmConfig) {
    const parsed = schema.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw new CheckpointError(`preprocessor_config.json: ${issue.path.join('.')}: ${issue.message}`);
    }
    const settings = parsed.data;
    this.split = settings.do_image_splitting;
    this.longest = settings.size.longest_edge;
    this.side = settings.max_image_size.longest_edge;
    this.resample = settings.resample;
    this.normalization = {
      mean: settings.image_mean,
      deviation: settings.image_std,
      rescale: settings.rescale_factor,
    };
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
  process(image: RgbImage, options: { readonly split?: boolean } = {}): ProcessedImage {
    const scaled = this.resize(image, ...fitted(image, this.longest));
    const { views, rows, columns } =
      (options.split ?? this.split) ? this.tile(scaled) : { views: [this.square(scaled)], rows: 0, columns: 0 };
    const size = 3 * this.side ** 2;
    const pixels = new Float32Array(views.length * size);
    views.forEach((view, i) => normalizeInto(pixels, i * size, view, this.normalization));
    const positions = new Int32Array(views.length * this.positions.length);
    views.forEach((_, i) => positions.set(this.positions, i * this.positions.length));
    return {
      pixels,
      tiles: views.length,
      rows,
      columns,
      positionIds: positions,
      tokens: views.length * this.tokensPerTile,
      width: image.width,
      height: image.height,
    };
  }

  /** Images are stretched to whole tiles, never padded: every tile is its share of the image, the last one all of it. */
  regions({ rows, columns }: Pick<ProcessedImage, 'rows' | 'columns'>): Region[] {
    const tiles = Array.from({ length: rows * columns }, (_, i) =>
      this.tileRegions(1 / rows, 1 / columns, Math.floor(i / columns) / rows, (i % columns) / columns),
    );
    return [...tiles.flat(), ...this.tileRegions(1, 1, 0, 0)];
  }

  private tileRegions(height: number, width: number, top: number, left: number): Region[] {
    const { side, share } = this.tokens;
    return Array.from({ length: this.tokensPerTile }, (_, i) => {
      const [row, column] = [Math.floor(i / side), i % side];
      return {
        left: left + column * share * width,
        right: left + (column + 1) * share * width,
        top: top + row * share * height,
        bottom: top + (row + 1) * share * height,
      };
    });
  }

  private resize(image: RgbImage, width: number, height: number): RgbImage {
    return resize(image, width, height, this.resample);
  }

  private square(image: RgbImage): RgbImage {
    return this.resize(image, this.side, this.side);
  }

  /** Stretches to whole tiles; the tiles row by row, then the whole image as one tile. */
  private tile(image: RgbImage): { views: RgbImage[]; rows: number; columns: number } {
    const stretched = this.resize(image, ...wholeTiles(image, this.side));
    const rows = stretched.height / this.side;
    const columns = stretched.width / this.side;
    if (rows === 1 && columns === 1) return { views: [stretched], rows: 0, columns: 0 };
    const views: RgbImage[] = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        views.push(crop(stretched, column * this.side, row * this.side, this.side, this.side));
      }
    }
    return { views: [...views, this.square(stretched)], rows, columns };
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
