import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StorageError } from '../storage-error.js';
import { systemCode, toStorageError } from '../system-error.js';
import { splitGlob } from './glob.js';
import { fileKind, isShard } from './image-files.js';
import { skipped, type ListedImage, type SkipReason } from './listed-image.js';

/** Where to walk and what to keep of it. */
interface Walk {
  readonly root: string;
  /** Relative path of a file, or of a folder that may hold some. */
  readonly wants: (path: string, kind: 'file' | 'folder') => boolean;
  readonly signal: AbortSignal | undefined;
  /** Folders that were entered by way of a link. */
  readonly linked: Set<string>;
}

/**
 * The images and shards of a folder and all below it, of a glob, or one file, in a fixed order: by name within each folder.
 * Names that begin with a dot are left out, as in a shell. Memory: the names of the folders on the way down.
 * Throws StorageError `not-found` when there is no such place.
 */
export async function* listFolder(path: string, signal?: AbortSignal): AsyncIterable<ListedImage> {
  const found = await stat(path).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return undefined;
    throw toStorageError('read', path, error);
  });
  if (found && !found.isDirectory()) yield await describeFile(dirname(path), basename(path));
  else yield* inFolder(found ? walkOf(path, signal) : await globWalk(path, signal), '', []);
}

function walkOf(root: string, signal: AbortSignal | undefined, wants: Walk['wants'] = () => true): Walk {
  return { root, wants, signal, linked: new Set() };
}

/** Walks the folders before a glob's first magic part, for what fits it from there on. */
async function globWalk(path: string, signal: AbortSignal | undefined): Promise<Walk> {
  const glob = splitGlob(path.split(sep).join('/'));
  if (!glob) throw new StorageError('not-found', `there is no ${path}`);
  const root = glob.root || sep;
  await stat(root).catch((error: unknown) => {
    throw toStorageError(`list ${path} in`, root, error);
  });
  return walkOf(root, signal, (file, kind) => glob.fits(file, kind === 'folder'));
}

/** Images in `path` (relative to the root) and below; `above` are the real paths of the folders around it. */
async function* inFolder(walk: Walk, path: string, above: readonly string[]): AsyncIterable<ListedImage> {
  const folder = join(walk.root, path);
  let names: string[];
  let inside: readonly string[];
  try {
    inside = [...above, await realpath(folder)];
    names = (await readdir(folder)).sort(byCodeUnit);
  } catch (error) {
    yield skip(walk.root, path, 'unreadable-folder', error);
    return;
  }
  for (const name of names) {
    walk.signal?.throwIfAborted();
    if (!name.startsWith('.')) yield* entry(walk, path === '' ? name : `${path}/${name}`, inside);
  }
}

async function* entry(walk: Walk, path: string, inside: readonly string[]): AsyncIterable<ListedImage> {
  const name = fileKind(path);
  const isImage = (name === 'image' || isShard(name)) && walk.wants(path, 'file');
  const full = join(walk.root, path);
  let isFolder: boolean;
  try {
    isFolder = (await stat(full)).isDirectory();
  } catch (error) {
    // A broken link of another kind of file is of no interest; ELOOP is a link to itself.
    if (isImage) yield skip(walk.root, path, reasonOf(error), error);
    return;
  }
  if (!isFolder) {
    if (isImage) yield await describeFile(walk.root, path);
    return;
  }
  if (!walk.wants(path, 'folder')) return;
  const problem = await linkProblem(walk, full, inside);
  if (problem) yield skip(walk.root, path, problem.reason, problem.detail);
  else yield* inFolder(walk, path, inside);
}

/** Says why a folder that is a link, or below one, must not be entered, if so. */
async function linkProblem(
  walk: Walk,
  full: string,
  inside: readonly string[],
): Promise<{ reason: SkipReason; detail: string } | undefined> {
  const real = await realpath(full);
  if (inside.includes(real)) return { reason: 'symlink-loop', detail: `leads back to ${real}` };
  const parent = inside.at(-1)!;
  const isLink = real !== resolve(parent, basename(full));
  const isBelowLink = relative(inside[0]!, parent) !== relative(walk.root, dirname(full));
  if (!isLink && !isBelowLink) return undefined;
  if (walk.linked.has(real)) return { reason: 'linked-twice', detail: `${real} is listed already` };
  walk.linked.add(real);
  return undefined;
}

/** The image file at `path` below `root`, or why it cannot be used; one that is not there comes as a broken link. */
export async function describeFile(root: string, path: string): Promise<ListedImage> {
  const full = join(root, path);
  try {
    const { size } = await checkedFile(full);
    if (size === 0) return skip(root, path, 'empty', '0 bytes');
    return { kind: 'image', path, uri: pathToFileURL(full).href };
  } catch (error) {
    if (error instanceof NotAFile) return skip(root, path, 'not-a-file', error);
    return skip(root, path, reasonOf(error), error);
  }
}

class NotAFile extends Error {}

/** Opening a pipe would wait for its other end, so the kind comes first. */
async function checkedFile(full: string): Promise<{ size: number }> {
  const found = await stat(full);
  if (!found.isFile()) throw new NotAFile('a pipe, socket or device');
  await (await open(full, 'r')).close();
  return found;
}

function reasonOf(error: unknown): SkipReason {
  const code = systemCode(error);
  if (code === 'ELOOP') return 'symlink-loop';
  return code === 'ENOENT' ? 'broken-link' : 'unreadable-file';
}

function skip(root: string, path: string, reason: SkipReason, cause: unknown): ListedImage {
  return skipped(path, pathToFileURL(join(root, path)).href, reason, cause);
}

/** The same order on every machine, whatever its locale. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
