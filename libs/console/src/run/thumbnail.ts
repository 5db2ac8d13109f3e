import { sharp } from '@mpa/image-codecs';
import type { ImageStore } from '@mpa/storage';

/** Side of a thumbnail in pixels. */
const SIDE = 224;
/** Pixels of the largest image that is read: as for the models. */
const MOST_PIXELS = 1e8;

/**
 * A copy of an image as JPEG, drawn anew: whatever file the record names, nothing but an image's pixels come out. At most
 * `side` pixels a side. Undefined when it can no longer be read.
 */
export async function smallCopy(images: ImageStore, uri: string, side: number): Promise<Buffer | undefined> {
  try {
    return await sharp(await images.read(uri), { limitInputPixels: MOST_PIXELS })
      .autoOrient()
      .resize(side, side, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#fff' })
      .jpeg({ quality: 80 })
      .toBuffer();
  } catch {
    return undefined;
  }
}

/** A small copy of an image as a data URI; undefined when it can no longer be read. */
export async function thumbnailUri(images: ImageStore, uri: string): Promise<string | undefined> {
  const small = await smallCopy(images, uri, SIDE);
  return small && `data:image/jpeg;base64,${small.toString('base64')}`;
}
