import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { ImageError } from './image-error.js';
import type { RgbImage } from './rgb-image.js';

/** Limits on what is decoded. */
export interface DecodeOptions {
  /** Largest width times height, told from the header before anything is decoded. Default 100 million. */
  readonly maxPixels?: number;
}

const DEFAULT_MAX_PIXELS = 100_000_000;

sharp.cache(false); // images are read once; libvips' cache of operations would only grow

/**
 * Decodes an image file, or its bytes, to RGB: any format that libvips reads (JPEG, PNG, WebP, GIF, TIFF, AVIF, SVG...), turned
 * upright by its EXIF orientation, converted to 8-bit sRGB (CMYK, 16-bit, grey and palette included). Of an animation, the
 * first frame. Transparency is dropped, as PIL's `convert('RGB')` does.
 * Throws ImageError with a reason: unreadable, empty, not-an-image, damaged, too-large.
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<RgbImage> {
  const bytes = typeof source === 'string' ? await readBytes(source) : source;
  const name = typeof source === 'string' ? source : 'image';
  if (bytes.length === 0) throw new ImageError('empty', `${name}: the file is empty`);
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  await checkHeader(bytes, name, maxPixels);
  try {
    const { data, info } = await sharp(bytes, { failOn: 'truncated', limitInputPixels: maxPixels, pages: 1 })
      .autoOrient()
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: toRgb(data, info.channels) };
  } catch (cause) {
    throw new ImageError('damaged', `${name}: cannot be decoded (${firstLine(cause)})`, { cause });
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ImageError('unreadable', `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

async function checkHeader(bytes: Uint8Array, name: string, maxPixels: number): Promise<void> {
  let size: { width: number; height: number };
  try {
    size = await sharp(bytes, { limitInputPixels: false, pages: 1 }).metadata();
  } catch (cause) {
    throw new ImageError('not-an-image', `${name}: is no image of a known format (${firstLine(cause)})`, { cause });
  }
  if (size.width * size.height > maxPixels) {
    throw new ImageError(
      'too-large',
      `${name}: ${size.width} x ${size.height} pixels are more than the limit of ${maxPixels}`,
    );
  }
}

function toRgb(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  const rgb = new Uint8Array((data.length / channels) * 3);
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) rgb.fill(data[from]!, to, to + 3);
  return rgb;
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0]!;
}
