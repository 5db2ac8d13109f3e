import { RpcError } from '@mpa/contracts';
import type { ImageInput } from '@mpa/contracts';
import { ImageStore, StorageError } from '@mpa/storage';
import { decodeImage, ImageError } from '@mpa/vlm';
import type { RgbImage } from '@mpa/vlm';

/** Where images are read from. */
export interface ReadImageOptions {
  /** By default one that asks no web server. */
  readonly images?: ImageStore;
  readonly signal?: AbortSignal;
}

/** Reads and decodes the image at a path or URI. Throws StorageError or ImageError. */
export async function readImage(
  uri: string,
  { images = new ImageStore(), signal }: ReadImageOptions = {},
): Promise<RgbImage> {
  return decodeImage(await images.read(uri, { signal }));
}

/** Decodes the image of a request. Throws StorageError, ImageError, or RpcError INVALID_ARGUMENT when it has none. */
export async function imageOf(input: ImageInput | undefined, options: Required<ReadImageOptions>): Promise<RgbImage> {
  switch (input?.source.case) {
    case 'data':
      return decodeImage(input.source.value);
    case 'uri':
      return readImage(input.source.value, options);
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
  return undefined;
}
