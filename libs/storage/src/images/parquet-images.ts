import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { LRUCache } from 'lru-cache';
import { StorageError } from '../storage-error.js';
import type { Files } from './files.js';
import type { ImagePart } from './image-uri.js';
import type { ShardEntry } from './list-shard.js';
import { tooLarge } from './too-large.js';

/** Memory for images of row groups that were decoded. A row group with more is not read. */
const CACHE_BYTES = 512 * 2 ** 20;
/** Files whose footers are kept. */
const KEPT_FOOTERS = 64;

type Place = Extract<ImagePart, { kind: 'row' }>;

interface OpenParquet {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
}

/**
 * Images in Parquet files: columns of binary values, or of structs with a binary field `bytes`, as Hugging Face datasets
 * write them. Pages are compressed together, so an image is read with its row group, whose images are kept for those that follow.
 */
export class ParquetImages {
  readonly #footers = new LRUCache<string, OpenParquet>({
    max: KEPT_FOOTERS,
    ignoreFetchAbort: true,
    fetchMethod: (uri) => this.#open(uri),
  });
  readonly #groups = new LRUCache<string, (Uint8Array | undefined)[], Place & { uri: string }>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (images) => images.reduce((sum, image) => sum + (image?.length ?? 0), 1),
    ignoreFetchAbort: true,
    fetchMethod: (_, __, { context }) => this.#readGroup(context),
  });

  /** @param filesOf who reads a URI */
  constructor(private readonly filesOf: (uri: string) => Files) {}

  /** One entry for each row and column of images, told by the footer alone. Throws StorageError `corrupt`, `unsupported`. */
  async *list(uri: string, signal?: AbortSignal): AsyncIterable<ShardEntry> {
    const { metadata } = await this.#open(uri, signal);
    const columns = imageColumns(metadata, uri);
    for (let row = 0; row < Number(metadata.num_rows); row++) {
      for (const column of columns) {
        yield { name: columns.length === 1 ? `${row}` : `${row}/${column}`, part: { kind: 'row', row, column } };
      }
    }
  }

  /** The bytes of one image. Throws StorageError `empty` when its cell holds none, `corrupt`, `not-found`, `too-large`. */
  async read(uri: string, place: Place): Promise<Uint8Array> {
    const { metadata } = (await this.#footers.fetch(uri))!;
    const { index, first } = groupOf(metadata, place.row, uri);
    const key = `${index} ${place.column} ${uri}`;
    const images = await this.#groups.fetch(key, { context: { ...place, uri } });
    const image = images![place.row - first];
    if (!image) throw new StorageError('empty', `${uri}: row ${place.row} has no bytes in ${place.column}`);
    return image;
  }

  async #open(uri: string, signal?: AbortSignal): Promise<OpenParquet> {
    const files = this.filesOf(uri);
    const byteLength = await files.size(uri, signal);
    const slice = async (start: number, end = byteLength): Promise<ArrayBuffer> => {
      const range = { first: start, length: end - start };
      const bytes = await files.read(uri, { range, maxBytes: CACHE_BYTES, signal });
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    };
    const file = { byteLength, slice };
    const { parquetMetadataAsync } = await import('hyparquet');
    return { file, metadata: await decoding(uri, parquetMetadataAsync(file)) };
  }

  async #readGroup({ uri, row, column }: Place & { uri: string }): Promise<(Uint8Array | undefined)[]> {
    const { file, metadata } = (await this.#footers.fetch(uri))!;
    const { first, rows, bytes } = groupOf(metadata, row, uri, column);
    if (bytes > CACHE_BYTES) {
      throw tooLarge(`the row group of row ${row} in ${uri}, to be written in smaller ones,`, bytes, CACHE_BYTES);
    }
    const { parquetReadObjects } = await import('hyparquet');
    const { compressors } = await import('hyparquet-compressors');
    const options = {
      file,
      metadata,
      columns: [column],
      rowStart: first,
      rowEnd: first + rows,
      compressors,
      utf8: false,
    };
    const found = await decoding(uri, parquetReadObjects(options));
    return found.map((each) => bytesIn(each[column]));
  }
}

function bytesIn(cell: unknown): Uint8Array | undefined {
  const value = cell instanceof Uint8Array ? cell : (cell as { bytes?: unknown } | null | undefined)?.bytes;
  return value instanceof Uint8Array && value.length > 0 ? value : undefined;
}

/** Which row group a row is in, where that begins, and how many bytes the column has there before compression. */
function groupOf(
  { row_groups: groups }: FileMetaData,
  row: number,
  uri: string,
  column?: string,
): { index: number; first: number; rows: number; bytes: number } {
  let first = 0;
  for (const [index, group] of groups.entries()) {
    const rows = Number(group.num_rows);
    if (row < first + rows) {
      const chunks = group.columns.filter(({ meta_data: meta }) => meta?.path_in_schema[0] === column);
      const bytes = chunks.reduce((sum, { meta_data: meta }) => sum + Number(meta!.total_uncompressed_size), 0);
      return { index, first, rows, bytes };
    }
    first += rows;
  }
  throw new StorageError('not-found', `${uri} has no row ${row}`);
}

/** Top-level columns of bytes: binary without the annotation of a text or number, or a struct that has such a field `bytes`. */
function imageColumns({ schema }: FileMetaData, uri: string): string[] {
  const names: string[] = [];
  const isBinary = (at: number): boolean => {
    const { type, converted_type: converted, logical_type: logical, repetition_type: repetition } = schema[at]!;
    return type === 'BYTE_ARRAY' && converted === undefined && logical === undefined && repetition !== 'REPEATED';
  };
  const after = (at: number): number => {
    let next = at + 1;
    for (let i = 0; i < (schema[at]?.num_children ?? 0); i++) next = after(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = after(at)) {
    const { name, num_children: children = 0, converted_type: converted, repetition_type: repetition } = schema[at]!;
    const isStruct = children > 0 && converted === undefined && repetition !== 'REPEATED';
    const fields = isStruct ? Array.from({ length: children }, (_, i) => childAt(at, i, after)) : [at];
    if (fields.some((field) => isBinary(field) && (!isStruct || schema[field]!.name === 'bytes'))) names.push(name);
  }
  if (names.length > 0) return names;
  throw new StorageError('unsupported', `${uri} has no column of images: binary, or a struct with binary \`bytes\``);
}

function childAt(parent: number, index: number, after: (at: number) => number): number {
  let at = parent + 1;
  for (let i = 0; i < index; i++) at = after(at);
  return at;
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
