import type { Region } from '@mpa/alignment';
import { CheckpointError } from '../checkpoint-error.js';
import { normalizationOf } from '../image-settings.js';
import { crop } from '../image/crop.js';
import { ImageError } from '../image/image-error.js';
import { resize } from '../image/resize.js';
import type { RgbImage } from '../image/rgb-image.js';
import type { ProcessedImage } from '../processor.js';
import { patchIndices, tileInputs, tokenRegions } from '../tiles.js';
import type { LlavaConfig } from './config.js';
import { readLlavaImageSettings } from './image-settings.js';
import type { LlavaImageSettings } from './image-settings.js';
import { towerTokens } from './weights.js';

/** What an image may be scaled to, as large as what is decoded. */
const MOST_PIXELS = 100_000_000;

/** Prepares images as transformers' CLIPImageProcessor, LlavaImageProcessor and SiglipImageProcessor do: one square view each. */
export class LlavaImageProcessor {
  private readonly settings: LlavaImageSettings;
  /** Pixels per side of the view, and patches. */
  private readonly side: number;
  private readonly patches: number;

  /** `json` is the image processor's settings. Throws CheckpointError naming the setting that is wrong or not supported. */
  constructor(
    json: unknown,
    private readonly config: LlavaConfig,
  ) {
    this.settings = readLlavaImageSettings(json);
    this.side = config.vision.imageSize;
    this.patches = Math.floor(this.side / config.vision.patchSize);
    const { do_center_crop: crops, crop_size: cropped, size: scaled } = this.settings;
    const [name, { width, height }] = crops ? ['crop_size', cropped] : ['size', { width: 0, height: 0, ...scaled }];
    if (width !== this.side || height !== this.side) {
      throw new CheckpointError(
        `preprocessor_config.json: ${name} is ${JSON.stringify(crops ? cropped : scaled)}, but vision_config.image_size in ` +
          `config.json is ${this.side}; images of another size than the vision tower's are not supported`,
      );
    }
  }

  /** Image tokens that an image becomes. */
  get tokens(): number {
    return towerTokens(this.config) - (this.config.dropsFirst ? 1 : 0);
  }

  /**
   * Pads to a square if so set, scales, cuts out the middle. Throws ImageError for an image so long and narrow that scaling its short
   * side makes it too large.
   */
  process(image: RgbImage): ProcessedImage {
    const { padded, scaled, view } = this.steps(image);
    if (scaled.width * scaled.height > MOST_PIXELS) {
      const sizes = `${image.width} x ${image.height} pixels become ${scaled.width} x ${scaled.height}`;
      throw new ImageError('too-large', `image: ${sizes}, more than the limit of ${MOST_PIXELS}`);
    }
    const [red = 0, green = 0, blue = 0] = this.settings.image_mean.map((value) => Math.trunc(value * 255));
    const square = crop(image, padded.left, padded.top, padded.width, padded.height, [red, green, blue]);
    const resized = resize(square, scaled.width, scaled.height, this.settings.resample);
    const middle = crop(resized, view.left, view.top, view.width, view.height);
    return {
      vision: tileInputs([middle], normalizationOf(this.settings), patchIndices(this.patches)),
      rows: 0,
      columns: 0,
      tokens: this.tokens,
      width: image.width,
      height: image.height,
    };
  }

  /** Where the patches lie in the image; a class token, or a patch of padding alone, stands for all that is seen. */
  regions(image: Size): Region[] {
    const { padded, scaled, view } = this.steps(image);
    // Share of the width or height of the image at a pixel of the scaled one.
    const across = (x: number): number => ((x * padded.width) / scaled.width + padded.left) / image.width;
    const down = (y: number): number => ((y * padded.height) / scaled.height + padded.top) / image.height;
    const seen = {
      left: across(view.left),
      right: across(view.left + view.width),
      top: down(view.top),
      bottom: down(view.top + view.height),
    };
    const whole = within(seen)!;
    const share = this.config.vision.patchSize / this.side;
    const patches = tokenRegions({ side: this.patches, share }, seen).map((region) => within(region) ?? whole);
    const all = this.config.vision.kind === 'clip' ? [whole, ...patches] : patches;
    return this.config.dropsFirst ? all.slice(1) : all;
  }

  /** The steps for an image of this size: the square around it, the size that is scaled to, and what is cut out of that. */
  private steps({ width, height }: Size): { readonly padded: Box; readonly scaled: Size; readonly view: Box } {
    const { padsToSquare, size, do_center_crop: crops } = this.settings;
    const longest = Math.max(width, height);
    const padded = padsToSquare
      ? { left: -Math.floor((longest - width) / 2), top: -Math.floor((longest - height) / 2), width: longest, height: longest } // prettier-ignore
      : { left: 0, top: 0, width, height };
    const scaled = 'shortest_edge' in size ? withShortest(padded, size.shortest_edge) : size;
    const view = crops
      ? { left: middle(scaled.width, this.side), top: middle(scaled.height, this.side), width: this.side, height: this.side } // prettier-ignore
      : { left: 0, top: 0, ...scaled };
    return { padded, scaled, view };
  }
}

type Size = { readonly width: number; readonly height: number };
type Box = Size & { readonly left: number; readonly top: number };

/** The short side at `shortest`, the long side rounded down. Source: transformers image_transforms.py. */
function withShortest({ width, height }: Size, shortest: number): Size {
  return width <= height
    ? { width: shortest, height: Math.trunc((shortest * height) / width) }
    : { width: Math.trunc((shortest * width) / height), height: shortest };
}

/** Where a stretch of `part` begins in the middle of `whole`; negative when it is longer. */
function middle(whole: number, part: number): number {
  return part > whole ? -Math.floor((part - whole) / 2) : Math.trunc((whole - part) / 2);
}

/** What of a region lies in the image, if anything. */
function within(region: Region): Region | undefined {
  const [left, top] = [Math.max(region.left, 0), Math.max(region.top, 0)];
  const [right, bottom] = [Math.min(region.right, 1), Math.min(region.bottom, 1)];
  return left < right && top < bottom ? { left, top, right, bottom } : undefined;
}
