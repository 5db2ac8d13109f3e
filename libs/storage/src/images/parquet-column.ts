import type { Compressors } from 'hyparquet-compressors';
import { StorageError } from '../storage-error.js';
import { stretch } from './parquet-bits.js';
import { readDeltaTexts } from './parquet-delta.js';
import { readHybrid } from './parquet-hybrid.js';
import { readStruct, type ThriftStruct } from './thrift-struct.js';
import { tooLarge } from './too-large.js';

/** A column of binary values in a row group, as the footer tells of it. */
export interface BinaryChunk {
  /** For people. */
  readonly name: string;
  readonly codec: string;
  /** Values, nulls included. */
  readonly rows: number;
  /** How many of the column and the structs around it may be null. */
  readonly maxLevel: number;
  /** Most bytes that it may have before compression. */
  readonly maxBytes: number;
}

/** Values of a chunk, undefined where they are null. */
export interface BinaryValues {
  readonly values: readonly (Uint8Array | undefined)[];
  /** Memory that they keep, which may hold several of them together. */
  readonly bytes: number;
}

/** Fields and elements of a page's header, statistics included: there are some 30. */
const MOST_VALUES = 1000;
/** Memory of a value besides its bytes. */
const VALUE_BYTES = 100;
// Numbers of parquet.thrift: kinds of pages, and encodings.
const [DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2] = [0, 2, 3];
const [PLAIN, PLAIN_DICTIONARY, DELTA_LENGTH, DELTA, RLE_DICTIONARY] = [0, 2, 6, 7, 8];

/**
 * Reads the pages of a column chunk without repetition (parquet-format, `README.md` and `Encodings.md`). Everything that the file states of
 * itself, in headers and inside of pages, is held against `rows` and `maxBytes` before memory is taken for it: a library that
 * takes its word can be made to take any amount.
 *
 * @param bytes the chunk, from its dictionary on if it has one
 * @throws StorageError `too-large` for more than `maxBytes`, `unsupported` for an encoding or codec; Error for what is damaged
 */
export async function readBinaryChunk(
  bytes: Uint8Array,
  { name, codec, rows, maxLevel, maxBytes }: BinaryChunk,
): Promise<BinaryValues> {
  const decompress = await decompressor(codec);
  const values: (Uint8Array | undefined)[] = [];
  let dictionary: readonly Uint8Array[] = [];
  let left = maxBytes;
  const spend: Spend = (more) => {
    left -= more;
    if (left < 0) throw tooLarge(name, `more than ${maxBytes}`, maxBytes);
  };
  const inflate = (packed: Uint8Array, length: number): Uint8Array => {
    if (length < 0) throw new Error('a page has less than no bytes');
    spend(length);
    const page = length === 0 ? new Uint8Array() : decompress(packed, length);
    if (page.length !== length) throw new Error(`a page has ${page.length} bytes, and says ${length}`);
    return page;
  };
  for (let at = 0; values.length < rows;) {
    const { fields: header, end } = readStruct(bytes, at, MOST_VALUES);
    const body = stretch(bytes, end, number(header, 3));
    at = end + body.length;
    const kind = number(header, 1);
    if (kind === DICTIONARY_PAGE) {
      const count = counted(part(header, 7), rows);
      dictionary = decode(inflate(body, number(header, 2)), { encoding: PLAIN, count, dictionary, spend });
    } else if (kind === DATA_PAGE || kind === DATA_PAGE_V2) {
      const read = kind === DATA_PAGE ? readPage : readPageV2;
      const { levels, data, count, encoding } = read(header, body, {
        maxLevel,
        most: rows - values.length,
        inflate,
        spend,
      });
      const present = levels ? levels.reduce((sum, level) => sum + Number(level === maxLevel), 0) : count;
      const found = decode(data, { encoding, count: present, dictionary, spend });
      for (let i = 0, next = 0; i < count; i++) {
        values.push(!levels || levels[i] === maxLevel ? found[next++] : undefined);
      }
    }
  }
  return { values, bytes: maxBytes - left + rows * 8 };
}

type Spend = (bytes: number) => void;
type Inflate = (packed: Uint8Array, length: number) => Uint8Array;

/** A page of values. */
interface Page {
  /** Of each value, `maxLevel` where there is one; undefined where all are there. */
  readonly levels: Uint32Array | undefined;
  readonly data: Uint8Array;
  /** Values, nulls included. */
  readonly count: number;
  readonly encoding: number;
}

interface PageOptions {
  readonly maxLevel: number;
  /** Values that there may be. */
  readonly most: number;
  readonly inflate: Inflate;
  readonly spend: Spend;
}

function readPage(header: ThriftStruct, body: Uint8Array, { maxLevel, most, inflate }: PageOptions): Page {
  const about = part(header, 5);
  const count = counted(about, most);
  const page = inflate(body, number(header, 2));
  const encoding = number(about, 2);
  if (maxLevel === 0) return { levels: undefined, data: page, count, encoding };
  const written = stretch(page, 4, uint32(page, 0));
  const levels = readHybrid(written, bitsOf(maxLevel), count);
  return { levels, data: page.subarray(4 + written.length), count, encoding };
}

/** In these the levels stand before what is compressed. */
function readPageV2(header: ThriftStruct, body: Uint8Array, { maxLevel, most, inflate, spend }: PageOptions): Page {
  const about = part(header, 8);
  const count = counted(about, most);
  const repetitions = stretch(body, 0, number(about, 6));
  const written = stretch(body, repetitions.length, number(about, 5));
  const levels = maxLevel === 0 ? undefined : readHybrid(written, bitsOf(maxLevel), count);
  const before = repetitions.length + written.length;
  const packed = body.subarray(before);
  const isPacked = about.get(7) !== false;
  if (!isPacked) spend(packed.length);
  const data = isPacked ? inflate(packed, number(header, 2) - before) : packed;
  return { levels, data, count, encoding: number(about, 4) };
}

interface DecodeOptions {
  readonly encoding: number;
  readonly count: number;
  readonly dictionary: readonly Uint8Array[];
  readonly spend: Spend;
}

function decode(data: Uint8Array, { encoding, count, dictionary, spend }: DecodeOptions): readonly Uint8Array[] {
  if (encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY) {
    const indices = count === 0 ? [] : readHybrid(data.subarray(1), data[0] ?? 0, count);
    return Array.from(indices, (index) => entry(dictionary, index));
  }
  spend(count * VALUE_BYTES);
  if (encoding === PLAIN) return plain(data, count);
  if (encoding === DELTA_LENGTH || encoding === DELTA) {
    return readDeltaTexts(data, count, { prefixes: encoding === DELTA, spend });
  }
  throw new StorageError('unsupported', `a column of Parquet is written in the encoding ${encoding}; write it plain`);
}

function plain(data: Uint8Array, count: number): Uint8Array[] {
  let at = 0;
  return Array.from({ length: count }, () => {
    const value = stretch(data, at + 4, uint32(data, at));
    at += 4 + value.length;
    return value;
  });
}

function entry(dictionary: readonly Uint8Array[], index: number): Uint8Array {
  const value = dictionary[index];
  if (!value) throw new Error(`a page names entry ${index} of a dictionary of ${dictionary.length}`);
  return value;
}

function counted(about: ThriftStruct, most: number): number {
  const count = number(about, 1);
  if (count < 0 || count > most) throw new Error(`a page has ${count} values, where ${most} are left`);
  return count;
}

async function decompressor(codec: string): Promise<Inflate> {
  if (codec === 'UNCOMPRESSED') return (packed) => packed;
  const { compressors, decompressZstd } = await import('hyparquet-compressors');
  // Left to itself, this one takes as much memory as the page asks for.
  if (codec === 'ZSTD') return (packed, length) => decompressZstd(packed, new Uint8Array(length));
  const decompress = compressors[codec as keyof Compressors];
  if (!decompress) throw new StorageError('unsupported', `a column of Parquet is compressed by ${codec}`);
  return decompress;
}

function uint32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = stretch(bytes, at, 4);
  return a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24;
}

function bitsOf(level: number): number {
  return 32 - Math.clz32(level);
}

function number(struct: ThriftStruct, id: number): number {
  const value = struct.get(id);
  if (typeof value !== 'number') throw new Error(`a page's header has no field ${id}`);
  return value;
}

function part(struct: ThriftStruct, id: number): ThriftStruct {
  const value = struct.get(id);
  if (typeof value !== 'object') throw new Error(`a page's header has no field ${id}`);
  return value;
}
