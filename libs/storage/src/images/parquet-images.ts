import { LRUCache } from 'lru-cache';
import { StorageError } from '../storage-error.js';
import type { Files } from './files.js';
import type { ImagePart } from './image-uri.js';
import type { ShardEntry } from './list-shard.js';
import { readBinaryChunk, type BinaryValues } from './parquet-column.js';
import { readFooter, type Footer, type RowGroup } from './parquet-footer.js';
import { tooLarge } from './too-large.js';

/** Memory for images of row groups that were decoded. A row group with more is not read. */
const CACHE_BYTES = 512 * 2 ** 20;
/** Files whose footers are kept. */
const KEPT_FOOTERS = 64;

type Place = Extract<ImagePart, { kind: 'row' }>;

/**
 * Images in Parquet files: columns of binary values, or of structs with a binary field `bytes`, as Hugging Face datasets
 * write them. Pages are compressed together, so an image is read with its row group, whose images are kept for those that follow.
 */
export class ParquetImages {
  readonly #footers = new LRUCache<string, Footer>({
    max: KEPT_FOOTERS,
    ignoreFetchAbort: true,
    fetchMethod: (uri) => this.#open(uri),
  });
  readonly #groups = new LRUCache<string, BinaryValues, Place & { uri: string }>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
    ignoreFetchAbort: true,
    fetchMethod: (_, __, { context }) => this.#readGroup(context),
  });

  /** @param filesOf who reads a URI */
  constructor(private readonly filesOf: (uri: string) => Files) {}

  /** One entry for each row and column of images, told by the footer alone. Throws StorageError `corrupt`, `unsupported`. */
  async *list(uri: string, signal?: AbortSignal): AsyncIterable<ShardEntry> {
    const { groups, columns } = await this.#open(uri, signal);
    const rows = groups.reduce((sum, group) => sum + group.rows, 0);
    for (let row = 0; row < rows; row++) {
      for (const { name: column } of columns) {
        yield { name: columns.length === 1 ? `${row}` : `${row}/${column}`, part: { kind: 'row', row, column } };
      }
    }
  }

  /** The bytes of one image. Throws StorageError `empty` when its cell holds none, `corrupt`, `not-found`, `too-large`. */
  async read(uri: string, place: Place): Promise<Uint8Array> {
    const { index, first } = groupOf((await this.#footers.fetch(uri))!, place.row, uri);
    const key = `${index} ${place.column} ${uri}`;
    const group = await this.#groups.fetch(key, { context: { ...place, uri } });
    const image = group!.values[place.row - first];
    if (!image?.length) throw new StorageError('empty', `${uri}: row ${place.row} has no bytes in ${place.column}`);
    return image;
  }

  async #open(uri: string, signal?: AbortSignal): Promise<Footer> {
    const files = this.filesOf(uri);
    const size = await files.size(uri, signal);
    return decoding(
      uri,
      readFooter(uri, size, (range) => files.read(uri, { range, maxBytes: CACHE_BYTES, signal })),
    );
  }

  async #readGroup({ uri, row, column }: Place & { uri: string }): Promise<BinaryValues> {
    const footer = (await this.#footers.fetch(uri))!;
    const { rows, chunks } = groupOf(footer, row, uri);
    const chunk = chunks.get(column);
    if (!chunk) throw new StorageError('not-found', `${uri} has no column of images ${column}`);
    const { range, codec, maxLevel, unpacked } = chunk;
    const name = `the row group of row ${row} in ${uri}, to be written in smaller ones,`;
    if (unpacked > CACHE_BYTES) throw tooLarge(name, unpacked, CACHE_BYTES);
    const bytes = await this.filesOf(uri).read(uri, { range, maxBytes: CACHE_BYTES });
    return decoding(uri, readBinaryChunk(bytes, { name, codec, rows, maxLevel, maxBytes: CACHE_BYTES }));
  }
}

/** Which row group a row is in, and where that begins. */
function groupOf(
  { groups }: Footer,
  row: number,
  uri: string,
): RowGroup & { readonly index: number; readonly first: number } {
  let first = 0;
  for (const [index, group] of groups.entries()) {
    if (row < first + group.rows) return { ...group, index, first };
    first += group.rows;
  }
  throw new StorageError('not-found', `${uri} has no row ${row}`);
}

/** What the decoder throws at a damaged file, as the error of this package. */
async function decoding<T>(uri: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StorageError || (error as Error).name === 'AbortError') throw error;
    throw new StorageError('corrupt', `${uri} is no sound Parquet file (${(error as Error).message})`, {
      cause: error,
    });
  }
}
