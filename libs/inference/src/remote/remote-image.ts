import { createHash } from 'node:crypto';
import type { ImageInput } from '@mpa/contracts';
import { withDecodedImage, type RgbImage } from '@mpa/vlm';
import sharp from 'sharp';
import { bytesOf } from '../read-image.js';
import type { LoadOptions } from '../teacher.js';
import type { EndpointConfig } from './endpoint-config.js';

/** An image as an endpoint is sent it. */
export interface RemoteImage {
  readonly sampleId: string;
  /** A data URI, or where the server is to fetch it. */
  readonly url: string;
  /** Tells images apart. */
  readonly digest: string;
}

/** Formats that every server reads. */
const COMMON: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp']);

/** Of JPEG, where the source is one: hardly less than the source's own. */
const QUALITY = 95;

/**
 * Reads an image, checks that it can be decoded, and encodes it once for all questions about it: its own bytes where every server sees
 * the same in them, else (too large, turned, transparent, of a rare format) what `decodeImage` sees, scaled down to the longest
 * side, as JPEG where it was one and else as PNG. With `byUrl` an image at an http(s) URI of an allowed host is not read. Throws ImageError, StorageError.
 */
export async function remoteImage(
  input: Pick<ImageInput, 'source'>,
  { longestSide, byUrl }: EndpointConfig['images'],
  { sampleId, onRead, ...reading }: LoadOptions,
): Promise<RemoteImage> {
  const { source } = input;
  if (byUrl && source.case === 'uri' && /^https?:\/\//i.test(source.value)) {
    await reading.images.check(source.value);
    return named(sampleId, source.value);
  }
  const bytes = await bytesOf(input, reading);
  return withDecodedImage(bytes, async (decoded) => {
    onRead?.(bytes, decoded);
    const header = await sharp(bytes).metadata();
    const asItIs =
      Math.max(decoded.width, decoded.height) <= longestSide &&
      COMMON.has(header.format) &&
      header.depth === 'uchar' &&
      header.space !== 'cmyk' &&
      !header.hasAlpha &&
      (header.orientation ?? 1) === 1 &&
      (header.pages ?? 1) === 1;
    if (asItIs) return named(sampleId, dataUri(header.format, bytes));
    const format = header.format === 'jpeg' ? 'jpeg' : 'png';
    return named(sampleId, dataUri(format, await encode(decoded, format, longestSide)));
  });
}

function encode({ width, height, data }: RgbImage, format: 'jpeg' | 'png', longestSide: number): Promise<Buffer> {
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  const scaled = image.resize({ width: longestSide, height: longestSide, fit: 'inside', withoutEnlargement: true });
  return (format === 'png' ? scaled.png() : scaled.jpeg({ quality: QUALITY, chromaSubsampling: '4:4:4' })).toBuffer();
}

function dataUri(format: string, bytes: Uint8Array): string {
  return `data:image/${format};base64,${Buffer.from(bytes).toString('base64')}`;
}

function named(sampleId: string, url: string): RemoteImage {
  return { sampleId, url, digest: createHash('sha256').update(url).digest('hex') };
}
