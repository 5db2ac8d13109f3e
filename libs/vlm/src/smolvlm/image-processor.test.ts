import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { noise } from '../noise-image.fixture.js';
import { SmolVlmImageProcessor } from './image-processor.js';
import type { SmolVlmConfig } from './config.js';
import { positionIds } from './position-ids.js';

interface Case {
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly settings: { readonly max_image_size: { readonly longest_edge: number } };
  readonly rows: number;
  readonly columns: number;
  readonly tiles: number;
  readonly sha256: string;
}

/** What transformers does; see smolvlm-images.py beside it. */
const golden = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/vlm/smolvlm-images.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Case[]; readonly unusualPositions: Readonly<Record<string, readonly number[]>> };

function processor(settings: Case['settings']): SmolVlmImageProcessor {
  const imageSize = settings.max_image_size.longest_edge;
  return new SmolVlmImageProcessor(settings, { scaleFactor: 1, vision: { imageSize, patchSize: 8 } } as SmolVlmConfig);
}

describe('SmolVlmImageProcessor', () => {
  it.each(golden.cases)('prepares $width x $height (seed $seed) bit for bit as transformers does', (wanted) => {
    const { width, height, seed, settings } = wanted;
    const { rows, columns, vision } = processor(settings).process(noise(width, height, seed));
    const { data, shape } = vision.pixels;
    expect({ rows, columns, tiles: shape[0] }).toEqual({
      rows: wanted.rows,
      columns: wanted.columns,
      tiles: wanted.tiles,
    });
    expect(createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex')).toBe(wanted.sha256);
  });

  it('repeats the positions for every tile and counts the tokens', () => {
    const config = { scaleFactor: 2, vision: { imageSize: 32, patchSize: 8 } } as SmolVlmConfig;
    const images = new SmolVlmImageProcessor(
      { size: { longest_edge: 64 }, max_image_size: { longest_edge: 32 } },
      config,
    );
    const { vision, tokens } = images.process(noise(64, 32, 1));
    expect(vision.positionIds.shape).toEqual([3, 16]);
    expect([...vision.positionIds.data]).toEqual([0, 1, 2].flatMap(() => Array.from({ length: 16 }, (_, i) => i)));
    expect(tokens).toBe(12);
  });

  it.each([
    [{ resample: 0 }, /resample/],
    [{ size: { width: 4 } }, /size\.longest_edge/],
    [{ do_resize: false }, /do_resize/],
    [{ image_mean: [0.5] }, /image_mean/],
    [{ max_image_size: { longest_edge: 48 } }, /max_image_size\.longest_edge is 48, .* is 32/],
  ])('refuses %j', (settings, message) => {
    const config = { scaleFactor: 1, vision: { imageSize: 32, patchSize: 8 } } as SmolVlmConfig;
    expect(() => new SmolVlmImageProcessor({ max_image_size: { longest_edge: 32 }, ...settings }, config)).toThrow(
      message,
    );
  });
});

describe('positionIds', () => {
  it("repeats torch's float32 bucketize on every side up to 128", () => {
    for (let side = 1; side <= 128; side++) {
      const row = golden.unusualPositions[side] ?? Array.from({ length: side }, (_, i) => i);
      const wanted = row.flatMap((y) => row.map((x) => y * side + x));
      expect([...positionIds(side)], `side ${side}`).toEqual(wanted);
    }
  });
});
