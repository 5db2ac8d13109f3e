import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { oracle } from '../oracle.fixture.js';
import { decodeImage } from './decode-image.js';
import { perceptualHash } from './perceptual-hash.js';

const bitsApart = (a: bigint, b: bigint): number => [...(a ^ b).toString(2)].filter((bit) => bit === '1').length;
const hashOf = async (bytes: Uint8Array): Promise<bigint> => perceptualHash(await decodeImage(bytes));

describe('perceptualHash', () => {
  it('hardly changes when an image is made smaller and compressed, and changes for another image', async () => {
    // A scene of large shapes, as photographs have; the second is another one.
    const scene = (x: number, fill: string): Promise<Buffer> =>
      sharp(
        Buffer.from(
          `<svg width="400" height="300"><rect width="400" height="300" fill="#468"/><circle cx="${x}" cy="120" r="80" fill="${fill}"/><rect x="40" y="220" width="300" height="50" fill="#fc8"/></svg>`,
        ),
      )
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
