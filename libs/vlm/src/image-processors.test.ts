import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ImageError } from './image/image-error.js';
import type { RgbImage } from './image/rgb-image.js';
import type { InternVlConfig } from './internvl/config.js';
import { InternVlImageProcessor } from './internvl/image-processor.js';
import type { LlavaConfig } from './llava/config.js';
import { LlavaImageProcessor } from './llava/image-processor.js';
import { noise } from './noise-image.fixture.js';
import type { ProcessedImage } from './processor.js';

interface Case {
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** Pixels per side of what the vision tower reads. */
  readonly side: number;
  readonly settings: { readonly image_processor_type: string };
  readonly options: { readonly crop_to_patches?: boolean };
  readonly tiles: number;
  readonly sha256: string;
}

/** What transformers does; see internvl-llava-images.py beside it. */
const golden = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/vlm/internvl-llava-images.json', import.meta.url), 'utf8'),
) as { readonly internvl: readonly Case[]; readonly llava: readonly Case[] };

const noiseOf = ({ width, height, seed }: Case): RgbImage => noise(width, height, seed);

function expectSame({ vision }: ProcessedImage, wanted: Case): void {
  const { data, shape } = vision.pixels;
  expect(shape).toEqual([wanted.tiles, 3, wanted.side, wanted.side]);
  expect(createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex')).toBe(wanted.sha256);
}

const internVl = (settings: object, side: number): InternVlImageProcessor =>
  new InternVlImageProcessor(settings, {
    scaleFactor: 2,
    vision: { imageSize: side, patchSize: 4 },
  } as InternVlConfig);

const llava = (settings: object, side: number, kind: 'clip' | 'siglip' = 'clip', dropsFirst = false) =>
  new LlavaImageProcessor(settings, { dropsFirst, vision: { kind, imageSize: side, patchSize: 4 } } as LlavaConfig);

describe('InternVlImageProcessor', () => {
  it.each(golden.internvl)('prepares $width x $height (seed $seed) bit for bit as transformers does', (wanted) => {
    const { crop_to_patches: split } = wanted.options;
    expectSame(internVl(wanted.settings, wanted.side).process(noiseOf(wanted), { split: split! }), wanted);
  });

  it('splits although preprocessor_config.json says otherwise, into as many tiles as are asked for', () => {
    const processor = internVl({ size: { height: 16, width: 16 }, crop_to_patches: false }, 16);
    const image = { width: 64, height: 32, data: new Uint8Array(3 * 64 * 32) };
    expect(processor.process(image)).toMatchObject({ rows: 2, columns: 4, tokens: 9 * 4 });
    expect(processor.process(image, { maxTiles: 2 })).toMatchObject({ rows: 1, columns: 2, tokens: 3 * 4 });
    expect(processor.process(image, { split: false })).toMatchObject({ rows: 0, columns: 0, tokens: 4 });
  });

  it('refuses tiles of another size than the vision tower reads', () => {
    expect(() => internVl({ size: { height: 32, width: 32 } }, 16)).toThrow(
      /size is 32 x 32, but .*image_size.* is 16/,
    );
  });
});

describe('LlavaImageProcessor', () => {
  it.each(golden.llava)(
    'prepares $width x $height (seed $seed) bit for bit as $settings.image_processor_type does',
    (wanted) => expectSame(llava(wanted.settings, wanted.side).process(noiseOf(wanted)), wanted),
  );

  const crop = { size: { shortest_edge: 16 }, crop_size: { height: 16, width: 16 } };

  it('says which part of the image was cut out, and that a class token looks at all of it', () => {
    const regions = llava(crop, 16).regions({ width: 64, height: 32 });
    expect(regions).toHaveLength(17);
    expect(regions[0]).toEqual({ left: 0.25, right: 0.75, top: 0, bottom: 1 });
    expect(regions[1]).toEqual({ left: 0.25, right: 0.375, top: 0, bottom: 0.25 });
    expect(regions.at(-1)).toEqual({ left: 0.625, right: 0.75, top: 0.75, bottom: 1 });
  });

  it('gives the padding of a square no part of the image', () => {
    const padded = { ...crop, image_processor_type: 'LlavaImageProcessor', do_pad: true };
    const whole = { left: 0, right: 1, top: 0, bottom: 1 };
    const regions = llava(padded, 16).regions({ width: 64, height: 32 });
    expect(regions.slice(0, 5)).toEqual([whole, whole, whole, whole, whole]);
    expect(regions[5]).toEqual({ left: 0, right: 0.25, top: 0, bottom: 0.5 });
  });

  it('leaves out the first patch where a tower without class token is told to drop the first', () => {
    const processor = llava(crop, 16, 'siglip', true);
    expect(processor.tokens).toBe(15);
    expect(processor.regions({ width: 16, height: 16 })[0]).toEqual({ left: 0.25, right: 0.5, top: 0, bottom: 0.25 });
  });

  it('reads the sizes of older files, plain numbers', () => {
    const image = { width: 20, height: 16, data: new Uint8Array(3 * 20 * 16) };
    expect(llava({ size: 16, crop_size: 16 }, 16).process(image).vision.pixels.shape).toEqual([1, 3, 16, 16]);
  });

  it('refuses an image that scaling would make too large', () => {
    const line = { width: 3_000_000, height: 1, data: new Uint8Array(9_000_000) };
    expect(() => llava(crop, 16).process(line)).toThrow(ImageError);
    expect(() => llava(crop, 16).process(line)).toThrow(/3000000 x 1 pixels become 48000000 x 16/);
  });

  it.each([
    [{ ...crop, crop_size: { height: 16, width: 20 } }, /crop_size is .*"width":20.*image_size in config.json is 16/],
    [{ ...crop, do_center_crop: false }, /size is \{"shortest_edge":16\}/],
    [{ ...crop, image_processor_type: 'PixtralImageProcessor' }, /PixtralImageProcessor is not supported/],
    [{ ...crop, do_resize: false }, /do_resize/],
  ])('refuses %j', (settings, message) => {
    expect(() => llava(settings, 16)).toThrow(message);
  });
});
