import type { Region } from '@mpa/alignment';
import { z } from 'zod';
import { CheckpointError } from '../checkpoint-error.js';
import { readBySchema, size } from '../config-schema.js';
import { CLIP_MEAN, CLIP_STD, imageSettings, normalizationOf } from '../image-settings.js';
import { ImageError } from '../image/image-error.js';
import { normalizeInto } from '../image/normalize.js';
import { resize } from '../image/resize.js';
import type { RgbImage } from '../image/rgb-image.js';
import type { ImageOptions, ProcessedImage } from '../processor.js';
import type { PlainTensor } from '../vision-inputs.js';
import type { Qwen2VisionConfig } from './config.js';
import { smartResize } from './smart-resize.js';

/** Rows and columns of an image's tokens. */
export type ImageGrid = NonNullable<ProcessedImage['grid']>;

/** Longest side over shortest beyond which images are refused. Source: image_processing_qwen2_vl.py, smart_resize. */
const MOST_ELONGATED = 200;

// Defaults are those of transformers' Qwen2VLImageProcessor.
const schema = z.object({
  ...imageSettings,
  resample: imageSettings.resample.default(3),
  image_mean: imageSettings.image_mean.default(CLIP_MEAN),
  image_std: imageSettings.image_std.default(CLIP_STD),
  size: z.object({ shortest_edge: size.optional(), longest_edge: size.optional() }).optional(),
  min_pixels: size.optional(),
  max_pixels: size.optional(),
  patch_size: size.default(14),
  temporal_patch_size: size.default(2),
  merge_size: size.default(2),
});

/** Prepares images as transformers' Qwen2VLImageProcessor does: scaled to whole patches, and cut into them. */
export class Qwen2VlImageProcessor {
  private readonly settings: z.infer<typeof schema>;
  /** Fewest and most pixels. */
  private readonly pixels: Required<ImageOptions>['pixels'];

  /**
   * `json` is the image processor's settings; `windows` gives those of an image's patches [1, W, S], for a tower that has such. Throws
   * CheckpointError naming the setting that is wrong or not supported.
   */
  constructor(
    json: unknown,
    config: Qwen2VisionConfig,
    private readonly windows?: (grid: ImageGrid) => PlainTensor,
  ) {
    this.settings = readBySchema('preprocessor_config.json', schema, json);
    const { size: edges = { shortest_edge: 56 * 56, longest_edge: 28 * 28 * 1280 }, ...given } = this.settings;
    const [least, most] = [given.min_pixels ?? edges.shortest_edge, given.max_pixels ?? edges.longest_edge];
    if (least === undefined || most === undefined) {
      throw new CheckpointError(
        'preprocessor_config.json: size: needs shortest_edge and longest_edge, in pixels of area',
      );
    }
    this.pixels = { least, most };
    this.checkAgreement(config);
  }

  private checkAgreement(config: Qwen2VisionConfig): void {
    for (const [setting, own, field, model] of [
      ['patch_size', this.settings.patch_size, 'patch_size', config.patchSize],
      ['temporal_patch_size', this.settings.temporal_patch_size, 'temporal_patch_size', config.temporalPatchSize],
      ['merge_size', this.settings.merge_size, 'spatial_merge_size', config.mergeSize],
    ] as const) {
      if (own === model) continue;
      throw new CheckpointError(
        `preprocessor_config.json: ${setting} is ${own}, but vision_config.${field} in config.json is ${model}`,
      );
    }
  }

  /** Throws ImageError for an image more than 200 times as long as wide. */
  process(image: RgbImage, { pixels: { least, most } = this.pixels }: ImageOptions = {}): ProcessedImage {
    const { width, height } = image;
    if (Math.max(width, height) / Math.min(width, height) > MOST_ELONGATED) {
      throw new ImageError(
        'too-elongated',
        `${width} x ${height} pixels: one side is over ${MOST_ELONGATED} times the other`,
      );
    }
    const { patch_size: side, merge_size: merge, resample } = this.settings;
    const to = smartResize(image, side * merge, least, most);
    const scaled = resize(image, to.width, to.height, resample);
    const grid = { rows: to.height / side / merge, columns: to.width / side / merge };
    const places = patchPlaces(grid, merge);
    return {
      vision: {
        pixels: this.cut(scaled, places),
        positionIds: { data: Int32Array.from(places.flat()), shape: [1, places.length, 2] },
        ...(this.windows && { windows: this.windows(grid) }),
      },
      tokens: grid.rows * grid.columns,
      grid,
      rows: 0,
      columns: 0,
      width,
      height,
    };
  }

  /** The scaled image covers the original evenly, and its tokens the scaled one. */
  regions({ grid }: Pick<ProcessedImage, 'grid'>): Region[] {
    const { rows, columns } = grid!;
    return Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return { left: column / columns, right: (column + 1) / columns, top: row / rows, bottom: (row + 1) / rows };
    });
  }

  /** Normalised patches [1, P, 3*t*p*p], each in the order (channel, frame, y, x) with the image as every frame. */
  private cut(image: RgbImage, places: readonly Place[]): PlainTensor {
    const { patch_size: side, temporal_patch_size: frames } = this.settings;
    const area = image.width * image.height;
    const planes = new Float32Array(3 * area);
    normalizeInto(planes, 0, image, normalizationOf(this.settings));
    const data = new Float32Array(frames * planes.length);
    let at = 0;
    for (const [row, column] of places) {
      for (let channel = 0; channel < 3; channel++) {
        const corner = channel * area + row * side * image.width + column * side;
        for (let line = 0; line < frames * side; line++, at += side) {
          const from = corner + (line % side) * image.width;
          data.set(planes.subarray(from, from + side), at);
        }
      }
    }
    return { data, shape: [1, places.length, 3 * frames * side ** 2] };
  }
}

/** Row and column of a patch. */
type Place = readonly [row: number, column: number];

/** Where each patch is: tokens row by row, and within a token its `merge` x `merge` patches. */
function patchPlaces({ rows, columns }: ImageGrid, merge: number): Place[] {
  return Array.from({ length: rows * columns * merge ** 2 }, (_, i) => {
    const [token, within] = [Math.floor(i / merge ** 2), i % merge ** 2];
    return [
      Math.floor(token / columns) * merge + Math.floor(within / merge),
      (token % columns) * merge + (within % merge),
    ];
  });
}
