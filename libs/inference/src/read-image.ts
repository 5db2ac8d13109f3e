import { RpcError } from '@mpa/contracts';
import type { ImageInput } from '@mpa/contracts';
import { fileStorage, StorageError } from '@mpa/storage';
import { decodeImage, ImageError } from '@mpa/vlm';
import type { RgbImage } from '@mpa/vlm';
import { TeacherFault } from './teacher.js';

/** Largest image file that is read. */
const MAX_IMAGE_BYTES = 256 * 2 ** 20;

/** Reads and decodes the image at a path or URI. Throws StorageError or ImageError. */
export async function readImage(uri: string, signal?: AbortSignal): Promise<RgbImage> {
  return decodeImage(await readBytes(uri, signal));
}

/** Decodes the image of a request. Throws StorageError, ImageError, or RpcError INVALID_ARGUMENT when it has none. */
export async function imageOf(input: Pick<ImageInput, 'source'> | undefined, signal?: AbortSignal): Promise<RgbImage> {
  return decodeImage(await bytesOf(input, signal));
}

/** The image file of a request. Throws StorageError, or RpcError INVALID_ARGUMENT when it has none. */
export async function bytesOf(
  input: Pick<ImageInput, 'source'> | undefined,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  switch (input?.source.case) {
    case 'data':
      return input.source.value;
    case 'uri':
      return readBytes(input.source.value, signal);
    default:
      throw new RpcError('INVALID_ARGUMENT', 'the request has no image; set image.data or image.uri');
  }
}

function readBytes(uri: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  return fileStorage.read(uri, { maxBytes: MAX_IMAGE_BYTES, ...(signal === undefined ? {} : { signal }) });
}

/** Why an image cannot be used, for the record of its sample. */
export interface ImageFault {
  /** Stable name to count by. */
  readonly reason: string;
  readonly detail: string;
}

/** The fault that an error tells of; undefined for an error that is not the image's fault. */
export function imageFault(error: unknown): ImageFault | undefined {
  if (error instanceof ImageError) return { reason: error.reason, detail: error.message };
  if (error instanceof StorageError) return { reason: error.code, detail: error.message };
  if (error instanceof TeacherFault) return { reason: error.reason, detail: error.message };
  return undefined;
}
