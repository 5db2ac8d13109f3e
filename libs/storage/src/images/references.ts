import { realpath } from 'node:fs/promises';
import { dirname, posix, relative, resolve, sep } from 'node:path';
import { localPath } from '../local-path.js';
import { isRemote, Roots } from '../roots.js';
import { StorageError } from '../storage-error.js';
import { withoutPassword } from '../without-password.js';
import { parseUrl, type HttpFiles } from './http-files.js';
import { imageUri, parseImageUri } from './image-uri.js';
import { describeFile } from './list-folder.js';
import { skipped, type ListedImage } from './listed-image.js';
import { parseS3Uri, s3Uri } from './s3-uri.js';

const S3 = /^s3:\//i;
const WEB = /^https?:\//i;
const FILE = /^file:\//i;
const OTHER = /^[a-z][a-z0-9+.-]+:\/\//i;

/**
 * What the references of one list mean, and which of them are followed: to files and objects in the list's own folder and
 * below, or below one of the roots, links resolved; and to hosts that are allowed. A list on another machine names no files of this one.
 */
export class References {
  private constructor(
    private readonly list: string,
    private readonly http: HttpFiles,
    private readonly roots: Roots,
  ) {}

  /**
   * @param list path or URI of the list
   * @param roots folders, and prefixes such as `s3://BUCKET/PREFIX`
   * @throws StorageError `not-found` for a folder that is not there
   */
  static async of(list: string, roots: readonly string[], http: HttpFiles): Promise<References> {
    const own = isRemote(list) ? list.slice(0, list.lastIndexOf('/') + 1) : dirname(localPath(list));
    return new References(list, http, await Roots.of([own, ...roots]));
  }

  /** The entry that a reference gives. */
  async entry(reference: string): Promise<ListedImage> {
    try {
      const remote = isRemote(this.list);
      if (WEB.test(reference)) return this.#web(reference);
      if (S3.test(reference)) return this.#object(reference);
      if (OTHER.test(reference) && !FILE.test(reference)) {
        throw new StorageError('unsupported', `${reference}: use a path, file://, s3://, http:// or https://`);
      }
      if (!remote) return await this.#file(reference);
      if (FILE.test(reference) || (S3.test(this.list) && reference.startsWith('/'))) {
        throw new StorageError('not-allowed', `${reference}: a list on another machine names no files of this one`);
      }
      if (WEB.test(this.list)) return this.#web(parseUrl(reference, this.list).href);
      const { bucket, key } = parseS3Uri(this.list);
      return this.#object(s3Uri({ bucket, key: posix.join(posix.dirname(key), reference) }));
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // A record is shown to many.
      const shown = withoutPassword(reference);
      return skipped(shown, shown, error.code, withoutPassword(error.message));
    }
  }

  #web(uri: string): ListedImage {
    this.http.check(uri);
    const { href } = new URL(uri);
    return { kind: 'image', path: this.#shortened(href), uri: href };
  }

  #object(uri: string): ListedImage {
    const { file } = parseImageUri(uri);
    if (!this.roots.holdUri(file)) throw outside(file);
    return { kind: 'image', path: this.#shortened(uri), uri };
  }

  async #file(reference: string): Promise<ListedImage> {
    const { file, part } = FILE.test(reference) ? parseImageUri(reference) : { file: reference };
    const folder = dirname(localPath(this.list));
    const full = FILE.test(file) ? localPath(file) : resolve(folder, file);
    const path = relative(folder, full).split(sep).join('/');
    const real = await realpath(full).catch(() => undefined);
    if (real === undefined) {
      // A link that leads nowhere may lead anywhere; of what is not there no more than that is told.
      throw new StorageError('not-found', `there is no ${full}`);
    }
    if (!this.roots.holdReal(real)) throw outside(full);
    const entry = await describeFile(folder, path);
    return part && entry.kind === 'image' ? { ...entry, uri: imageUri({ file: entry.uri, part }) } : entry;
  }

  #shortened(uri: string): string {
    const own = this.list.slice(0, this.list.lastIndexOf('/') + 1);
    return isRemote(this.list) && uri.startsWith(own) ? uri.slice(own.length) : uri;
  }
}

function outside(place: string): StorageError {
  return new StorageError(
    'not-allowed',
    `${place} is outside of the list's own folder; give its folder by --image-root if that is meant`,
  );
}
