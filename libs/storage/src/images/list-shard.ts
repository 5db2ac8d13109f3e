import type { Files } from './files.js';
import { FileWindow } from './file-window.js';
import { imageUri, type ImagePart } from './image-uri.js';
import { skipped, type ListedImage } from './listed-image.js';
import type { ParquetImages } from './parquet-images.js';
import { StorageError } from '../storage-error.js';

/** An image in a shard. */
export interface ShardEntry {
  /** Within the shard: a member's name, or a row and, among several, its column. */
  readonly name: string;
  /** Where it is; undefined when there are no bytes. */
  readonly part: ImagePart | undefined;
}

/**
 * The images of a file that holds many, in its order. Where it breaks, what came before stays, and one skip tells of the rest.
 *
 * @param path the shard's own path, put before those of its images
 * @throws StorageError that is retriable: the way to the shard is at fault
 */
export async function* listShard(
  uri: string,
  path: string,
  kind: 'tar' | 'arrow' | 'parquet',
  { files, parquet, signal }: { files: Files; parquet: ParquetImages; signal: AbortSignal | undefined },
): AsyncIterable<ListedImage> {
  try {
    const entries =
      kind === 'parquet' ? parquet.list(uri, signal) : (await reader(kind))(await FileWindow.open(files, uri, signal));
    for await (const { name, part } of entries) {
      signal?.throwIfAborted();
      const inside = `${path}/${name}`;
      if (part) yield { kind: 'image', path: inside, uri: imageUri({ file: uri, part }) };
      else yield skipped(inside, uri, 'empty', 'it has no bytes; a path beside them is not followed');
    }
  } catch (error) {
    if (!(error instanceof StorageError) || error.retriable) throw error;
    yield skipped(path, uri, error.code, error);
  }
}

/** Loads what reads a kind of shard: most commands need none of them. */
async function reader(kind: 'tar' | 'arrow'): Promise<(file: FileWindow) => AsyncIterable<ShardEntry>> {
  return kind === 'tar' ? (await import('./list-tar.js')).listTar : (await import('./list-arrow.js')).listArrow;
}
