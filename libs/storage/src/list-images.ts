import { createReadStream } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Minimatch } from 'minimatch';
import { localPath } from './local-path.js';
import { sampleId } from './sample-id.js';
import type { ListedImage, SkipReason } from './storage.js';
import { StorageError } from './storage-error.js';
import { systemCode, toStorageError } from './system-error.js';

/** File names that count as images, whatever their case. */
const IMAGE_EXTENSIONS = new Set(
  '.png .jpg .jpeg .jpe .jfif .webp .gif .bmp .tif .tiff .avif .heic .heif .jp2 .ppm .svg'.split(' '),
);

/** A file of paths, one a line, relative to its folder or absolute. */
const LIST_EXTENSION = '.txt';

/** Where to walk and what to keep of it. */
interface Walk {
  readonly root: string;
  /** Relative path of a file, or of a folder that may hold some. */
  readonly wants: (path: string, kind: 'file' | 'folder') => boolean;
  readonly signal: AbortSignal | undefined;
  /** Folders that were entered by way of a link. */
  readonly linked: Set<string>;
}

/** See `Storage.listImages`. Names that begin with a dot are left out, as in a shell. */
export async function* listImages(
  source: string,
  { signal }: { signal?: AbortSignal } = {},
): AsyncIterable<ListedImage> {
  const walk = await plan(source, signal);
  let images = 0;
  let skipped = 0;
  const entries = 'file' in walk ? only(walk.file) : inFolder(walk, '', []);
  for await (const entry of entries) {
    if (entry.kind === 'image') images += 1;
    else skipped += 1;
    yield entry;
  }
  if (images === 0) {
    const also = skipped > 0 ? ` (${skipped} entries cannot be used)` : '';
    throw new StorageError('no-images', `no images in ${source}${also}: looked for ${[...IMAGE_EXTENSIONS].join(' ')}`);
  }
}

async function plan(source: string, signal: AbortSignal | undefined): Promise<Walk | { file: string }> {
  const path = localPath(source);
  const found = await stat(path).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return undefined;
    throw toStorageError('read', path, error);
  });
  if (found?.isDirectory()) {
    return { root: path, wants: () => true, signal, linked: new Set() };
  }
  if (found) return { file: path };
  return planGlob(path, source, signal);
}

/** Splits a glob into the folders before its first magic part and the pattern from there on. */
async function planGlob(path: string, source: string, signal: AbortSignal | undefined): Promise<Walk> {
  const parts = path.split(sep);
  const magic = parts.findIndex((part) => new Minimatch(part).hasMagic() || part.includes('{'));
  if (magic < 0) throw new StorageError('not-found', `there is no ${source}`);
  const root = parts.slice(0, magic).join(sep) || sep;
  await stat(root).catch((error: unknown) => {
    throw toStorageError(`list ${source} in`, root, error);
  });
  const pattern = new Minimatch(parts.slice(magic).join('/'));
  return {
    root,
    wants: (file, kind) => pattern.match(file, kind === 'folder'),
    signal,
    linked: new Set(),
  };
}

/** One image, or those that a list of paths (`.txt`) names, in its order and each once. */
async function* only(file: string): AsyncIterable<ListedImage> {
  const root = dirname(file);
  if (extname(file).toLowerCase() !== LIST_EXTENSION) {
    yield await describeFile(root, basename(file));
    return;
  }
  const seen = new Set<string>();
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    const path = relative(root, resolve(root, line.trim()));
    if (path === '' || seen.has(path)) continue;
    seen.add(path);
    yield await describeFile(root, path);
  }
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
  const isImage = IMAGE_EXTENSIONS.has(extname(path).toLowerCase()) && walk.wants(path, 'file');
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
    return { kind: 'image', id: sampleId(path), path, uri: pathToFileURL(full).href, bytes: size };
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
  const uri = pathToFileURL(join(root, path)).href;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return { kind: 'skipped', id: sampleId(path), path, uri, reason, detail };
}

/** The same order on every machine, whatever its locale. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
