import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../checkpoint-error.js';
import { ImageError } from '../image/image-error.js';
import { noise } from '../noise-image.fixture.js';
import type { Qwen2VisionConfig } from './config.js';
import { Qwen2VlImageProcessor } from './image-processor.js';
import { smartResize } from './smart-resize.js';

interface Settings {
  readonly patch_size: number;
  readonly merge_size: number;
  readonly temporal_patch_size: number;
  readonly min_pixels: number;
  readonly max_pixels: number;
}

interface Case {
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly settings: Settings;
  /** Rows and columns of patches. */
  readonly grid: readonly [number, number];
  readonly sha256: string;
}

/** What transformers does; see qwen2-vl-images.py beside it. */
const { cases } = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/vlm/qwen2-vl-images.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Case[] };

function processor(settings: Partial<Settings> & object): Qwen2VlImageProcessor {
  const { patch_size = 14, merge_size = 2, temporal_patch_size = 2 } = settings as Partial<Settings>;
  const config = { patchSize: patch_size, mergeSize: merge_size, temporalPatchSize: temporal_patch_size };
  return new Qwen2VlImageProcessor(settings, config as Qwen2VisionConfig);
}

describe('Qwen2VlImageProcessor', () => {
  it.each(cases)('prepares $width x $height (seed $seed) bit for bit as transformers does', (wanted) => {
    const { width, height, seed, settings, grid: [rows, columns] } = wanted; // prettier-ignore
    const { vision, grid, tokens } = processor(settings).process(noise(width, height, seed));
    expect(grid).toEqual({ rows: rows / settings.merge_size, columns: columns / settings.merge_size });
    expect(tokens).toBe((rows * columns) / settings.merge_size ** 2);
    expect(vision.pixels.shape).toEqual([1, rows * columns, 3 * settings.temporal_patch_size * settings.patch_size ** 2]); // prettier-ignore
    expect(createHash('sha256').update(new Uint8Array(vision.pixels.data.buffer)).digest('hex')).toBe(wanted.sha256);
  });

  it('says where each patch is, token by token', () => {
    const images = processor({ patch_size: 8, min_pixels: 256, max_pixels: 10000 });
    const { positionIds } = images.process(noise(32, 16, 1)).vision;
    expect(positionIds.shape).toEqual([1, 8, 2]);
    expect([...positionIds.data]).toEqual([0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 0, 3, 1, 2, 1, 3]);
  });

  it('takes its limits from size, min_pixels and max_pixels, or from the call', () => {
    const pixels = (settings: object, limits?: { least: number; most: number }): number => {
      const { vision } = processor(settings).process(noise(300, 200, 1), limits && { pixels: limits });
      return vision.positionIds.shape[1]! * 14 ** 2;
    };
    expect(pixels({})).toBe(308 * 196);
    expect(pixels({ size: { shortest_edge: 3136, longest_edge: 20000 } })).toBeLessThanOrEqual(20000);
    expect(pixels({ size: { shortest_edge: 3136, longest_edge: 20000 }, max_pixels: 10000 })).toBeLessThanOrEqual(
      10000,
    );
    expect(pixels({ size: { shortest_edge: 200000, longest_edge: 400000 } })).toBeGreaterThanOrEqual(200000);
    expect(pixels({ max_pixels: 10000 }, { least: 3136, most: 50000 })).toBeGreaterThan(10000);
  });

  it('says which part of the image a token stands for', () => {
    const images = processor({ patch_size: 8, min_pixels: 4096, max_pixels: 40000 });
    const [width, height] = [130, 90];
    const black = { width, height, data: new Uint8Array(3 * width * height) };
    const spot = { x: 0.7, y: 0.3 };
    black.data.fill(255, 3 * (width * spot.y * height + spot.x * width), 3 * (width * spot.y * height + spot.x * width + 1)); // prettier-ignore
    const image = images.process(black);
    const regions = images.regions(image);
    expect(regions).toHaveLength(image.tokens);
    const perToken = image.vision.pixels.data.length / image.tokens;
    const brightest = regions.map((_, i) => Math.max(...image.vision.pixels.data.subarray(i * perToken, (i + 1) * perToken))); // prettier-ignore
    const { left, right, top, bottom } = regions[brightest.indexOf(Math.max(...brightest))]!;
    expect(left <= spot.x && spot.x <= right && top <= spot.y && spot.y <= bottom).toBe(true);
  });

  it.each<[object, RegExp]>([
    [{ size: { shortest_edge: 3136 } }, /size: needs shortest_edge and longest_edge/],
    [{ resample: 0 }, /resample/],
    [{ do_resize: false }, /do_resize/],
  ])('refuses %o', (settings, message) => {
    expect(() => processor(settings)).toThrow(CheckpointError);
    expect(() => processor(settings)).toThrow(message);
  });

  it('refuses settings that are not the model’s', () => {
    const config = { patchSize: 16, mergeSize: 2, temporalPatchSize: 2 } as Qwen2VisionConfig;
    expect(() => new Qwen2VlImageProcessor({}, config)).toThrow(
      /patch_size is 14, but vision_config\.patch_size in config\.json is 16/,
    );
  });

  it('refuses an image over 200 times as long as wide', () => {
    expect(() => processor({}).process(noise(201, 1, 1))).toThrow(ImageError);
    expect(processor({}).process(noise(200, 1, 1)).tokens).toBeGreaterThan(0);
  });
});

describe('smartResize', () => {
  it.each([
    ['halves to the even multiple', { width: 40, height: 56 }, { width: 32, height: 64 }],
    ['up to the least area', { width: 3, height: 4 }, { width: 48, height: 64 }],
    ['down to the most', { width: 4000, height: 20 }, { width: 1168, height: 16 }],
  ])('rounds %s', (_, from, to) => {
    expect(smartResize(from, 16, 2000, 7000)).toEqual(to);
  });
});
