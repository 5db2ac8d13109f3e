import { localPath } from '@mpa/storage';
import sharp from 'sharp';
import { html, type Html } from './html.js';

/** Side of a thumbnail in pixels. */
const SIDE = 224;

/** A small copy of an image as a data URI; undefined when it can no longer be read. */
export async function thumbnailUri(uri: string): Promise<string | undefined> {
  try {
    const small = await sharp(localPath(uri), { limitInputPixels: 1e8 })
      .autoOrient()
      .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#fff' })
      .jpeg({ quality: 72 })
      .toBuffer();
    return `data:image/jpeg;base64,${small.toString('base64')}`;
  } catch {
    return undefined;
  }
}

/** An image of a sample, or that it went away after it was annotated: the sample is still worth showing. */
export async function thumbnail(uri: string, name: string): Promise<Html> {
  const small = await thumbnailUri(uri);
  return small === undefined
    ? html`<p class="gone">${name} is no longer readable</p>`
    : html`<img src="${small}" alt="${name}" loading="lazy" />`;
}
