import type { ColumnChunk, FileMetaData } from 'hyparquet';
import { StorageError } from '../storage-error.js';
import type { ByteRange } from './files.js';
import { readStruct } from './thrift-struct.js';

/** Bytes read first from the end of a file: most footers are in them. */
const TAIL_BYTES = 512 * 1024;
/** Bytes of a footer, and values in it: some 40,000 column chunks. */
const [MOST_BYTES, MOST_VALUES] = [16 * 2 ** 20, 2 ** 21];
/** Rows of a row group; pyarrow writes 2^20. */
const MOST_ROWS = 2 ** 22;
/** A length and `PAR1`, behind the footer. */
const END_BYTES = 8;

/** What a Parquet file says of its images. */
export interface Footer {
  readonly columns: readonly ImageColumn[];
  readonly groups: readonly RowGroup[];
}

/** A column of images. */
export interface ImageColumn {
  /** Of the top-level column. */
  readonly name: string;
  /** Of the column of bytes in it, or itself. */
  readonly path: readonly string[];
  /** How many of these may be null. */
  readonly maxLevel: number;
}

/** A stretch of rows, whose images are read together. */
export interface RowGroup {
  readonly rows: number;
  /** Where their images are, by the name of the column. */
  readonly chunks: ReadonlyMap<string, ImageChunk>;
}

/** Images of one column in a row group. */
export interface ImageChunk {
  readonly range: ByteRange;
  readonly codec: string;
  readonly maxLevel: number;
  /** Bytes before compression, as the file says. */
  readonly unpacked: number;
}

/**
 * Reads the footer of a Parquet file, which is not believed in how much there is: not of itself, and of no more rows than the file has
 * bytes.
 *
 * @param size bytes of the file
 * @param read gives a stretch of it
 * @throws StorageError `unsupported` where no column has images, `too-large`; Error for what is damaged
 */
export async function readFooter(
  uri: string,
  size: number,
  read: (range: ByteRange) => Promise<Uint8Array>,
): Promise<Footer> {
  const from = Math.max(0, size - TAIL_BYTES);
  const tail = Buffer.from(await read({ first: from, length: size - from }));
  if (tail.length < END_BYTES || tail.toString('latin1', tail.length - 4) !== 'PAR1')
    throw new Error('it does not end as one');
  const length = tail.readUInt32LE(tail.length - END_BYTES);
  if (length > MOST_BYTES || length + END_BYTES > size) throw new Error(`its footer has ${length} bytes`);
  const first = size - END_BYTES - length;
  const whole = first < from ? await read({ first, length: length + END_BYTES }) : tail.subarray(first - from);
  readStruct(whole, 0, MOST_VALUES);
  const { parquetMetadata } = await import('hyparquet');
  const metadata = parquetMetadata(Uint8Array.from(whole), { geoparquet: false });
  const columns = imageColumns(metadata, uri);
  const groups = metadata.row_groups.map((group) => ({
    rows: Number(group.num_rows),
    chunks: new Map(columns.flatMap((column) => chunkOf(column, group.columns))),
  }));
  checkRows(groups, Number(metadata.num_rows), size);
  return { columns, groups };
}

function checkRows(groups: readonly RowGroup[], stated: number, size: number): void {
  const wrong = groups.find(({ rows }) => rows < 0 || rows > MOST_ROWS);
  if (wrong) throw new Error(`a row group has ${wrong.rows} rows; the limit is ${MOST_ROWS}`);
  const rows = groups.reduce((sum, group) => sum + group.rows, 0);
  if (rows !== stated) throw new Error(`it says that it has ${stated} rows, and its row groups that they have ${rows}`);
  if (rows > size) throw new Error(`it says that it has ${rows} rows, more than it has bytes`);
}

function chunkOf({ name, path, maxLevel }: ImageColumn, chunks: readonly ColumnChunk[]): [string, ImageChunk][] {
  const isOf = (other: readonly string[]): boolean =>
    other.length === path.length && path.every((each, i) => each === other[i]);
  const meta = chunks.find(({ meta_data: each }) => each && isOf(each.path_in_schema))?.meta_data;
  if (!meta) return [];
  const range = {
    first: Number(meta.dictionary_page_offset || meta.data_page_offset),
    length: Number(meta.total_compressed_size),
  };
  if (!(range.first >= 0 && range.length >= 0)) throw new Error(`its column ${name} is before its beginning`);
  return [[name, { range, codec: meta.codec, maxLevel, unpacked: Number(meta.total_uncompressed_size) }]];
}

/** Top-level columns of bytes: binary without the annotation of a text or number, or a struct that has such a field `bytes`. */
function imageColumns({ schema }: FileMetaData, uri: string): ImageColumn[] {
  const element = (at: number): FileMetaData['schema'][number] => {
    const found = schema[at];
    if (!found) throw new Error('its columns are damaged');
    return found;
  };
  const after = (at: number): number => {
    let next = at + 1;
    for (let i = 0; i < (element(at).num_children ?? 0); i++) next = after(next);
    return next;
  };
  const optional = (...path: number[]): number =>
    path.filter((at) => element(at).repetition_type === 'OPTIONAL').length;
  const isBinary = (at: number): boolean => {
    const { type, converted_type: converted, logical_type: logical, repetition_type: repetition } = element(at);
    return type === 'BYTE_ARRAY' && converted === undefined && logical === undefined && repetition !== 'REPEATED';
  };
  const columns: ImageColumn[] = [];
  for (let at = 1; at < schema.length; at = after(at)) {
    const { name, num_children: children = 0, converted_type: converted, repetition_type: repetition } = element(at);
    if (isBinary(at)) columns.push({ name, path: [name], maxLevel: optional(at) });
    if (children === 0 || converted !== undefined || repetition === 'REPEATED') continue;
    for (let i = 0, field = at + 1; i < children; i++, field = after(field)) {
      if (element(field).name !== 'bytes' || !isBinary(field)) continue;
      columns.push({ name, path: [name, 'bytes'], maxLevel: optional(at, field) });
      break;
    }
  }
  if (columns.length > 0) return columns;
  throw new StorageError('unsupported', `${uri} has no column of images: binary, or a struct with binary \`bytes\``);
}
