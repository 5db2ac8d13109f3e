import { RpcError } from '@mpa/contracts';
import type { ImageInput } from '@mpa/contracts';
import { ImageStore, StorageError } from '@mpa/storage';
import { decodeImage, ImageError } from '@mpa/vlm';
import type { RgbImage } from '@mpa/vlm';
import { TeacherFault } from './teacher.js';

/** Where images are read from. */
export interface ReadImageOptions {
  readonly images: ImageStore;
  readonly signal?: AbortSignal | undefined;
}

/** Reads and decodes the image at a path or URI, by default from where no web server is asked. Throws StorageError or ImageError. */
export async function readImage(
  uri: string,
  { images = new ImageStore(), signal }: Partial<ReadImageOptions> = {},
): Promise<RgbImage> {
  return decodeImage(await images.read(uri, { signal }));
}

/** Decodes the image of a request. Throws StorageError, ImageError, or RpcError INVALID_ARGUMENT when it has none. */
export async function imageOf(
  input: Pick<ImageInput, 'source'> | undefined,
  options: ReadImageOptions,
): Promise<RgbImage> {
  return decodeImage(await bytesOf(input, options));
}

/** The image file of a request. Throws StorageError, or RpcError INVALID_ARGUMENT when it has none. */
export async function bytesOf(
  input: Pick<ImageInput, 'source'> | undefined,
  { images, signal }: ReadImageOptions,
): Promise<Uint8Array> {
  switch (input?.source.case) {
    case 'data':
      return input.source.value;
    case 'uri':
      return images.read(input.source.value, { signal });
    default:
      throw new RpcError('INVALID_ARGUMENT', 'the request has no image; set image.data or image.uri');
  }
}

/** Why an image cannot be used, for the record of its sample. */
export interface ImageFault {
  /** Stable name to count by. */
  readonly reason: string;
  readonly detail: string;
}

/** The fault that an error tells of; undefined for an error that is not the image's fault, as when no image of its place can be reached. */
export function imageFault(error: unknown): ImageFault | undefined {
  if (error instanceof ImageError) return { reason: error.reason, detail: error.message };
  if (error instanceof StorageError && !error.retriable) return { reason: error.code, detail: error.message };
  if (error instanceof TeacherFault) return { reason: error.reason, detail: error.message };
  return undefined;
}
