import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { sharp, type Metadata } from '@mpa/image-codecs';
import { Semaphore } from 'async-mutex';
import { ImageError } from './image-error.js';
import type { RgbImage } from './rgb-image.js';

/** Limits on what is decoded. */
export interface DecodeOptions {
  /** Largest width times height, told from the header before anything is decoded. Default 100 million. */
  readonly maxPixels?: number;
}

const DEFAULT_MAX_PIXELS = 100_000_000;

/** Larger files are refused unread. */
const MAX_BYTES = 2 ** 29;

/** So many are decoded at once, and in use by `withDecodedImage`; one image of more is so alone. A smaller one counts for one. */
const MEGAPIXELS_AT_ONCE = 100;
const megapixels = new Semaphore(MEGAPIXELS_AT_ONCE);

// Images are read once, so libvips' cache of operations would only grow; and many are decoded at once, so one thread each.
sharp.cache(false);
sharp.concurrency(1);

/**
 * Decodes an image file, or its bytes, to RGB as transformers and PIL do: turned upright by its EXIF orientation; 8 bits a
 * channel (16-bit, grey and palette included); transparency dropped, not blended; an RGB colour profile ignored. CMYK becomes
 * sRGB. Of an animation, the first frame. JPEG, PNG, WebP, GIF, TIFF and AVIF.
 * Throws ImageError with a reason: unreadable, empty, not-an-image, damaged, too-large.
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<RgbImage> {
  return withDecodedImage(source, (image) => image, options);
}

/**
 * Decodes as `decodeImage` does, and lets no further image be decoded that is too large to be there beside this one while `use` works.
 * For uses that take their time. Throws what `decodeImage` throws, and `use`.
 */
export async function withDecodedImage<T>(
  source: string | Uint8Array,
  use: (image: RgbImage) => T | Promise<T>,
  options: DecodeOptions = {},
): Promise<T> {
  const bytes = typeof source === 'string' ? await readBytes(source) : source;
  const name = typeof source === 'string' ? source : 'image';
  if (bytes.length === 0) throw new ImageError('empty', `${name}: the file is empty`);
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  const { width, height } = await readHeader(bytes, name);
  if (width * height > maxPixels) {
    throw new ImageError('too-large', `${name}: ${width} x ${height} pixels are more than the limit of ${maxPixels}`);
  }
  const work = async (): Promise<T> => use(await decode(bytes, name, maxPixels));
  return megapixels.runExclusive(work, Math.min(Math.ceil((width * height) / 1e6), MEGAPIXELS_AT_ONCE));
}

async function decode(bytes: Uint8Array, name: string, limitInputPixels: number): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(bytes, { failOn: 'truncated', limitInputPixels, pages: 1, ignoreIcc: true })
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
  const unreadable = (why: string, cause?: unknown): ImageError =>
    new ImageError('unreadable', `${path}: cannot be read (${why})`, { cause });
  let file: FileHandle | undefined;
  try {
    // Without waiting for a writer, should it be a pipe.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw unreadable('not a file');
    if (stat.size > MAX_BYTES) {
      throw new ImageError('too-large', `${path}: ${stat.size} bytes are more than the limit of ${MAX_BYTES}`);
    }
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    throw unreadable((cause as NodeJS.ErrnoException).code ?? String(cause), cause);
  } finally {
    await file?.close();
  }
}

async function readHeader(bytes: Uint8Array, name: string): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: false, pages: 1 }).metadata();
  } catch (cause) {
    const line = firstLine(cause);
    if (line.includes('corrupt header')) {
      throw new ImageError('damaged', `${name}: its header cannot be read (${line})`, { cause });
    }
    throw new ImageError('not-an-image', `${name}: is no JPEG, PNG, WebP, GIF, TIFF or AVIF image (${line})`, {
      cause,
    });
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
