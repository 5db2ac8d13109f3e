/** A field of a struct of Thrift: its id, and its value with its type. */
type Field = readonly [id: number, value: Value];
interface Value {
  readonly type: number;
  readonly bytes: Buffer;
}

/** A Parquet file of one column `image`, which states what it is told to. */
export interface StatedParquet {
  /** Rows of the file, and of its only row group. */
  readonly rows: number;
  readonly groupRows?: number;
  /** The page as it lies in the file, and what its header states. */
  readonly page: Buffer;
  readonly pageValues?: number;
  readonly pageBytes?: number;
  /** Of a column that may be null. */
  readonly optional?: boolean;
  readonly codec?: 'none' | 'gzip';
  /** Whether the page is one, with no other behind it. */
  readonly dictionary?: boolean;
  /** More fields of the footer. */
  readonly more?: readonly Field[];
}

/** The bytes of such a file (parquet.thrift). */
export function parquetFile(stated: StatedParquet): Buffer {
  const { rows, groupRows = rows, page, pageValues = rows, pageBytes = page.length, optional, more = [] } = stated;
  const about = struct([1, i32(pageValues)], [2, i32(0)], [3, i32(3)], [4, i32(3)]);
  const kind: Field[] = stated.dictionary ? [[1, i32(2)]] : [[1, i32(0)]];
  const header = struct(...kind, [2, i32(pageBytes)], [3, i32(page.length)], [stated.dictionary ? 7 : 5, about]);
  const column = struct(
    [1, i32(6)],
    [2, list(i32(0))],
    [3, list(text('image'))],
    [4, i32(stated.codec === 'gzip' ? 2 : 0)],
    [5, i64(groupRows)],
    [6, i64(page.length)],
    [7, i64(header.bytes.length + page.length)],
    [9, i64(4)],
  );
  const group = struct([1, list(struct([2, i64(4)], [3, column]))], [2, i64(page.length)], [3, i64(groupRows)]);
  const root = struct([4, text('schema')], [5, i32(1)]);
  const leaf = struct([1, i32(6)], [3, i32(optional ? 1 : 0)], [4, text('image')]);
  const footer = struct([1, i32(1)], [2, list(root, leaf)], [3, i64(rows)], [4, list(group)], ...more).bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([Buffer.from('PAR1'), header.bytes, page, footer, length, Buffer.from('PAR1')]);
}

/** A list that says it has `size` lists as this one, `depth` deep. */
export function statedLists(size: number, depth: number): Value {
  return { type: 9, bytes: Buffer.concat(Array.from({ length: depth }, () => listHead(9, size))) };
}

/** Nulls, as levels of 0: `run` of them. */
export function nulls(run: number): Buffer {
  const levels = Buffer.concat([varint(run * 2), Buffer.of(0)]);
  return Buffer.concat([Buffer.from(Uint32Array.of(levels.length).buffer), levels]);
}

function struct(...fields: Field[]): Value {
  let last = 0;
  const bytes = fields.map(([id, { type, bytes: value }]) => {
    const head = Buffer.of(((id - last) << 4) | type);
    last = id;
    return Buffer.concat([head, value]);
  });
  return { type: 12, bytes: Buffer.concat([...bytes, Buffer.of(0)]) };
}

function list(...values: Value[]): Value {
  return { type: 9, bytes: Buffer.concat([listHead(values[0]!.type, values.length), ...values.map((v) => v.bytes)]) };
}

function listHead(type: number, size: number): Buffer {
  return Buffer.concat([Buffer.of(0xf0 | type), varint(size)]);
}

const i32 = (value: number): Value => ({ type: 5, bytes: varint(value * 2) });
const i64 = (value: number): Value => ({ type: 6, bytes: varint(value * 2) });
const text = (value: string): Value => ({
  type: 8,
  bytes: Buffer.concat([varint(value.length), Buffer.from(value)]),
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = BigInt(value); ; left >>= 7n) {
    if (left < 128n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 127n) | 128);
  }
}
