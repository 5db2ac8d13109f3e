import { readFile, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { oracle, temporaryFolder } from '../oracle.fixture.js';
import { decodeImage, withDecodedImage } from './decode-image.js';
import { ImageError } from './image-error.js';

/** Two pixels, red and blue. */
const pair = { width: 2, height: 1, data: Uint8Array.of(200, 10, 20, 30, 40, 220) };

const sharpOf = ({ width, height, data }: typeof pair, channels: 3 | 4 = 3): Sharp =>
  sharp(data, { raw: { width, height, channels } });

/** The start of a PNG of any size: all that a header says. */
function pngHeader(width: number, height: number): Buffer {
  const chunk = Buffer.alloc(25);
  chunk.writeUInt32BE(13, 0);
  chunk.write('IHDR', 4);
  chunk.writeUInt32BE(width, 8);
  chunk.writeUInt32BE(height, 12);
  chunk.set([8, 2, 0, 0, 0], 16);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 21)), 21);
  const end = Buffer.from([0, 0, 0, 0, 0x49, 0x44, 0x41, 0x54, 0x35, 0xaf, 0x06, 0x1e]);
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk, end]);
}

describe('decodeImage', () => {
  it('reads a file and its bytes alike', async () => {
    const path = join(oracle, 'images/case0_0_0.png');
    const image = await decodeImage(path);
    expect([image.width, image.height, image.data.length]).toEqual([97, 61, 97 * 61 * 3]);
    expect(await decodeImage(await readFile(path))).toEqual(image);
  });

  it('reads an image of one pixel', async () => {
    const bytes = await sharpOf({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3) })
      .png()
      .toBuffer();
    expect(await decodeImage(bytes)).toEqual({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3) });
  });

  it.each<[string, () => Promise<Buffer>]>([
    ['16-bit', () => sharpOf(pair).toColourspace('rgb16').png().toBuffer()],
    ['palette', () => sharpOf(pair).png({ palette: true }).toBuffer()],
    ['lossless WebP', () => sharpOf(pair).webp({ lossless: true }).toBuffer()],
    ['TIFF', () => sharpOf(pair).tiff({ compression: 'lzw' }).toBuffer()],
  ])('reads %s colours exactly', async (_, make) => expect(await decodeImage(await make())).toEqual(pair));

  it('spreads grey over the three channels', async () => {
    const grey = sharp(Uint8Array.of(7, 250), { raw: { width: 2, height: 1, channels: 1 } });
    const bytes = await grey.toColourspace('b-w').png().toBuffer();
    expect((await decodeImage(bytes)).data).toEqual(Uint8Array.of(7, 7, 7, 250, 250, 250));
  });

  it('drops transparency and keeps the colours beneath, as PIL does', async () => {
    const rgba = { width: 2, height: 1, data: Uint8Array.of(200, 10, 20, 0, 30, 40, 220, 128) };
    expect(await decodeImage(await sharpOf(rgba, 4).png().toBuffer())).toEqual(pair);
  });

  it('turns an image upright by its EXIF orientation', async () => {
    const bytes = await sharpOf(pair).png().withMetadata({ orientation: 6 }).toBuffer(); // a quarter turn clockwise
    expect(await decodeImage(bytes)).toEqual({ width: 1, height: 2, data: pair.data });
  });

  it('takes the first frame of an animation', async () => {
    const data = Uint8Array.of(...pair.data, 0, 0, 0, 0, 0, 0);
    const frames = sharp(data, { raw: { width: 2, height: 2, channels: 3, pageHeight: 1 } });
    expect(await decodeImage(await frames.webp({ lossless: true }).toBuffer())).toEqual(pair);
  });

  it('reads CMYK', async () => {
    const red = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });
    const { width, data } = await decodeImage(await red.toColourspace('cmyk').jpeg().toBuffer());
    expect(width).toBe(8);
    expect([data[0]! > 180, data[1]! < 80, data[2]! < 80]).toEqual([true, true, true]);
  });

  it.each<[string, string, (path: string) => Promise<unknown>]>([
    ['unreadable', 'a file that is not there', async () => undefined],
    ['unreadable', 'a symlink loop', (path) => symlink(path, path)],
    ['unreadable', 'a named pipe', async (path) => execFileSync('mkfifo', [path])],
    ['empty', 'an empty file', (path) => writeFile(path, '')],
    ['not-an-image', 'text', (path) => writeFile(path, 'this is text, whatever its name')],
    [
      'not-an-image',
      'SVG',
      (path) => writeFile(path, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ],
    ['too-large', 'a PNG of 30000 x 30000', (path) => writeFile(path, pngHeader(30000, 30000))],
    ['damaged', 'a PNG that ends early', async (path) => writeFile(path, await half(sharpOf(pair).png()))],
    ['damaged', 'a JPEG that ends early', async (path) => writeFile(path, await half(photo().jpeg()))],
    ['damaged', 'a JPEG that ends in its header', async (path) => writeFile(path, await half(photo().jpeg(), 30))],
  ])('refuses as %s: %s', async (reason, _, make) => {
    const path = join(await temporaryFolder(), 'image.png');
    await make(path);
    const decoding = decodeImage(path);
    await expect(decoding).rejects.toBeInstanceOf(ImageError);
    await expect(decoding).rejects.toMatchObject({ reason, message: expect.stringContaining(path) as string });
  });

  it('does not read SVG, which takes any time, to find out that it is one', async () => {
    // Ten levels, each of ten of the one below: 10^10 shapes, to find out how large they are together.
    const shapes = Array.from({ length: 10 }, (_, level) => {
      const below = `<use href="#l${level}"/>`.repeat(10);
      return `<g id="l${level + 1}">${below}</g>`;
    });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg"><g id="l0"><path d="M0 0h1"/></g>${shapes.join('')}</svg>`;
    await expect(decodeImage(Buffer.from(svg))).rejects.toMatchObject({ reason: 'not-an-image' });
  });

  it('refuses a folder', async () => {
    await expect(decodeImage(await temporaryFolder())).rejects.toMatchObject({ reason: 'unreadable' });
  });

  it('takes the limit on pixels from its options', async () => {
    const bytes = await sharpOf(pair).png().toBuffer();
    await expect(decodeImage(bytes, { maxPixels: 1 })).rejects.toMatchObject({ reason: 'too-large' });
    expect((await decodeImage(bytes, { maxPixels: 2 })).width).toBe(2);
  });
});

describe('withDecodedImage', () => {
  it('decodes and uses images of 100 million pixels at most at once', async () => {
    const large = await sharp({ create: { width: 8_000, height: 7_500, channels: 3, background: 'red' } }).png().toBuffer(); // prettier-ignore
    const small = await sharpOf(pair).png().toBuffer();
    let [now, most, seen] = [0, 0, 0];
    const use = async ({ width }: { readonly width: number }): Promise<void> => {
      now += width;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 50));
      now -= width;
      seen += 1;
    };
    const images = [large, small, large, small, large];
    await Promise.all(images.map((image) => withDecodedImage(image, use)));
    expect(seen).toBe(images.length);
    expect(most).toBeGreaterThanOrEqual(8_000);
    expect(most).toBeLessThan(16_000);
  });

  it('lets others go on after one that failed', async () => {
    const large = pngHeader(10_000, 10_000);
    await expect(decodeImage(large)).rejects.toMatchObject({ reason: 'damaged' });
    await expect(decodeImage(large)).rejects.toMatchObject({ reason: 'damaged' });
  });
});

function photo(): Sharp {
  return sharp({
    create: {
      width: 64,
      height: 64,
      channels: 3,
      background: 'grey',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  });
}

async function half(image: Sharp, length?: number): Promise<Buffer> {
  const bytes = await image.toBuffer();
  return bytes.subarray(0, length ?? bytes.length / 2);
}
