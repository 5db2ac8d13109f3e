import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Create } from 'sharp';
import { describe, expect, it } from 'vitest';
import { oracle } from '../oracle.fixture.js';
import { decodeImage } from './decode-image.js';
import { perceptualHash } from './perceptual-hash.js';

const bitsApart = (a: bigint, b: bigint): number => [...(a ^ b).toString(2)].filter((bit) => bit === '1').length;
const hashOf = async (bytes: Uint8Array): Promise<bigint> => perceptualHash(await decodeImage(bytes));

describe('perceptualHash', () => {
  it('hardly changes when an image is made smaller and compressed, and changes for another image', async () => {
    // A scene of large shapes, as photographs have; the second is another one.
    const shape = (width: number, height: number, background: string): { create: Create } => ({
      create: { width, height, channels: 3, background },
    });
    const scene = (x: number, fill: string): Promise<Buffer> =>
      sharp(shape(400, 300, '#468'))
        .composite([
          { input: shape(150, 150, fill), left: x - 75, top: 45 },
          { input: shape(300, 50, '#fc8'), left: 40, top: 220 },
        ])
        .png()
        .toBuffer();
    const [one, other] = [await scene(130, '#fff'), await scene(300, '#000')];
    const copy = await sharp(one).resize(163).jpeg({ quality: 60 }).toBuffer();
    // 4 bits is the default distance of near-duplicates; unrelated hashes are 32 apart on average.
    expect(bitsApart(await hashOf(one), await hashOf(copy))).toBeLessThanOrEqual(4);
    expect(bitsApart(await hashOf(one), await hashOf(other))).toBeGreaterThan(11);
  });

  it('is the same for the same pixels in another format', async () => {
    const folder = join(oracle, 'images');
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.png'))) {
      const png = await readFile(join(folder, name));
      expect(await hashOf(await sharp(png).webp({ lossless: true }).toBuffer()), name).toBe(await hashOf(png));
    }
  });
});
