import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { localPath } from './local-path.js';
import { StorageError } from './storage-error.js';

/** Whether a place is named by a URI of another machine. */
export function isRemote(place: string): boolean {
  return /^(s3|https?):\//i.test(place);
}

/** Places below which something is allowed: folders, links resolved, and what URIs begin with, such as `s3://BUCKET/PREFIX`. */
export class Roots {
  private constructor(
    /** Real paths of folders, without a slash at the end. */
    private readonly folders: readonly string[],
    /** Beginnings of URIs, with one. */
    private readonly prefixes: readonly string[],
  ) {}

  /** Throws StorageError `not-found` for a folder that is not there. */
  static async of(roots: readonly string[]): Promise<Roots> {
    const folders = roots
      .filter((root) => !isRemote(root))
      .map(async (root) => {
        return realpath(localPath(root)).catch((cause: unknown) => {
          throw new StorageError('not-found', `there is no folder ${root}`, { cause });
        });
      });
    const prefixes = roots.filter(isRemote).map((root) => normal(root).replace(/\/*$/, '/'));
    return new Roots(await Promise.all(folders), prefixes);
  }

  /** Whether a path or URI is one of the roots or below. What is not there is where its folder is. */
  async hold(place: string): Promise<boolean> {
    if (isRemote(place)) return this.holdUri(place);
    const real = await realPlace(localPath(place));
    return real !== undefined && this.holdReal(real);
  }

  /** The same of a real path. */
  holdReal(real: string): boolean {
    return this.folders.some((root) => real === root || real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`));
  }

  /** The same of a URI. One with `..` may be taken for another one on its way to the server, and so is below no root. */
  holdUri(uri: string): boolean {
    const place = normal(uri);
    const isInside = this.prefixes.some((prefix) => place.startsWith(prefix) || `${place}/` === prefix);
    return isInside && !place.split('/').includes('..');
  }
}

/** A web address as it is asked for; other URIs as they are. */
function normal(uri: string): string {
  return /^https?:/i.test(uri) && URL.canParse(uri) ? new URL(uri).href : uri;
}

/** The real path of a place, or where it would be made; undefined when a link on the way leads nowhere, and so may lead anywhere. */
async function realPlace(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    const parent = dirname(path);
    if (isThere || parent === path) return undefined;
    const folder = await realPlace(parent);
    return folder && join(folder, basename(path));
  }
}
