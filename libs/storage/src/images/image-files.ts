import { extname } from 'node:path';

/** File names that count as images, whatever their case. */
export const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set(
  '.png .jpg .jpeg .jpe .jfif .webp .gif .bmp .tif .tiff .avif .heic .heif .jp2 .ppm .svg'.split(' '),
);

/** What a file is by its name: an image, many of them, a list of references, or nothing of interest. */
export type FileKind = 'image' | 'tar' | 'arrow' | 'parquet' | 'txt' | 'jsonl' | 'other';

const KINDS: ReadonlyMap<string, FileKind> = new Map([
  ['.tar', 'tar'],
  ['.arrow', 'arrow'],
  ['.parquet', 'parquet'],
  ['.txt', 'txt'],
  ['.jsonl', 'jsonl'],
]);

/** Tells the kind of a file by the ending of its name, whatever its case. */
export function fileKind(path: string): FileKind {
  const extension = extname(path).toLowerCase();
  return IMAGE_EXTENSIONS.has(extension) ? 'image' : (KINDS.get(extension) ?? 'other');
}

/** Whether a file of this kind holds many images. */
export function isShard(kind: FileKind): kind is 'tar' | 'arrow' | 'parquet' {
  return kind === 'tar' || kind === 'arrow' || kind === 'parquet';
}
