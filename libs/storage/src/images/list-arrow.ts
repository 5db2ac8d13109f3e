import { DataType, Message, type Field, type Schema, type Struct } from 'apache-arrow';
import { StorageError } from '../storage-error.js';
import type { FileWindow } from './file-window.js';
import type { ShardEntry } from './list-shard.js';

const MAGIC = 'ARROW1';
const CONTINUATION = 0xffffffff;

/** A column of images: where its parts are among the nodes and buffers of a record batch. */
interface ImageColumn {
  readonly name: string;
  readonly node: number;
  /** Index of the validity buffer; offsets and data follow. */
  readonly buffer: number;
  /** Bytes of one offset. */
  readonly width: 4 | 8;
}

interface Batch {
  readonly compression: unknown;
  readonly length: number;
  readonly nodes: readonly { readonly nullCount: number }[];
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
}

/**
 * The images of an Arrow IPC file or stream (the two of pyarrow and Hugging Face datasets): one for each row and column of
 * binary values, or of structs whose field `bytes` is binary. The values are not compressed as a rule, so each image is told by its bytes in
 * the file; only offsets are read. See "Encapsulated message format" in Arrow's Columnar.rst.
 * Throws StorageError `corrupt` where the file breaks off, `unsupported` when its buffers are compressed or it has no images.
 */
export async function* listArrow(file: FileWindow): AsyncIterable<ShardEntry> {
  let columns: ImageColumn[] = [];
  let row = 0;
  for await (const { schema, batch, body } of messages(file)) {
    if (schema) columns = imageColumns(schema, file.uri);
    if (!batch) continue;
    if (batch.compression !== null) {
      throw new StorageError('unsupported', `${file.uri} has compressed buffers; write it without compression`);
    }
    const cells = await Promise.all(columns.map((column) => cellsOf(file, body, batch, column)));
    for (let i = 0; i < batch.length; i++, row++) {
      for (const [c, { name }] of columns.entries()) {
        yield { name: columns.length === 1 ? `${row}` : `${row}/${name}`, part: cells[c]!(i) };
      }
    }
  }
}

/** A message that matters here, and where its body begins and how long it is. */
interface FoundMessage {
  readonly schema?: Schema;
  readonly batch?: Batch;
  readonly bodyLength: number;
}

async function* messages(file: FileWindow): AsyncIterable<FoundMessage & { readonly body: number }> {
  const isFile = file.size >= 8 && (await file.read(0, MAGIC.length)).toString('latin1') === MAGIC;
  for (let at = isFile ? 8 : 0; at + 8 <= file.size;) {
    const head = await file.read(at, 8);
    const isFramed = head.readUInt32LE(0) === CONTINUATION;
    const length = head.readInt32LE(isFramed ? 4 : 0);
    if (length === 0) return;
    const start = at + (isFramed ? 8 : 4);
    if (length < 0) throw new StorageError('corrupt', `${file.uri}: no Arrow message at byte ${at}`);
    const message = decode(await file.read(start, length), `${file.uri} at byte ${at}`);
    at = start + length + message.bodyLength;
    if (!(at <= file.size)) throw new StorageError('corrupt', `${file.uri} ends early`);
    yield { ...message, body: start + length };
  }
}

function decode(bytes: Buffer, where: string): FoundMessage {
  try {
    // A copy: the window goes on to other bytes.
    const message = Message.decode(new Uint8Array(bytes));
    const { bodyLength } = message;
    if (bodyLength < 0) throw new Error(`a body of ${bodyLength} bytes`);
    if (message.isSchema()) return { schema: message.header(), bodyLength };
    return message.isRecordBatch() ? { batch: message.header(), bodyLength } : { bodyLength };
  } catch (cause) {
    throw new StorageError('corrupt', `${where}: no Arrow message (${(cause as Error).message})`, { cause });
  }
}

/** Numbers the buffers of a batch as the format lays them out, depth first, and picks those of images. */
function imageColumns({ fields }: Schema, uri: string): ImageColumn[] {
  const columns: ImageColumn[] = [];
  let node = 0;
  let buffer = 0;
  const visit = ({ type, name }: Field<DataType>, column: string | undefined): void => {
    const width = DataType.isBinary(type) ? 4 : DataType.isLargeBinary(type) ? 8 : undefined;
    if (width !== undefined && column !== undefined) columns.push({ name: column, node, buffer, width });
    node += 1;
    buffer += bufferCount(type, uri);
    const isImage = DataType.isStruct(type) && column !== undefined;
    if (DataType.isDictionary(type)) return;
    for (const child of ((type as Struct).children as Field<DataType>[] | undefined) ?? []) {
      visit(child, isImage && child.name === 'bytes' ? name : undefined);
    }
  };
  for (const field of fields as Field<DataType>[]) visit(field, field.name);
  if (columns.length === 0) {
    const names = fields.map((field) => `${field.name}: ${String(field.type)}`).join(', ');
    throw new StorageError('unsupported', `${uri} has no column of images: it has ${names}`);
  }
  return columns;
}

function bufferCount(type: DataType, uri: string): number {
  if (DataType.isNull(type)) return 0;
  if (DataType.isStruct(type) || DataType.isFixedSizeList(type)) return 1;
  if (DataType.isUnion(type) || DataType.isBinaryView(type) || DataType.isUtf8View(type)) {
    throw new StorageError('unsupported', `${uri} has a column of type ${String(type)}; write it without that column`);
  }
  const isVariable =
    DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isBinary(type) || DataType.isLargeBinary(type);
  return isVariable ? 3 : 2;
}

/** Where each cell of a column is in the file; undefined for one without bytes. */
async function cellsOf(
  file: FileWindow,
  body: number,
  { length, nodes, buffers }: Batch,
  { node, buffer, width }: ImageColumn,
): Promise<(row: number) => ShardEntry['part']> {
  const [validity, offsets, data] = [buffers[buffer], buffers[buffer + 1], buffers[buffer + 2]];
  if (!validity || !offsets || !data || !nodes[node])
    throw new StorageError('corrupt', `${file.uri}: a batch lacks buffers`);
  if (length === 0) return () => undefined;
  const at = Buffer.from(await file.read(body + offsets.offset, (length + 1) * width));
  const isValid =
    nodes[node].nullCount > 0 ? Buffer.from(await file.read(body + validity.offset, Math.ceil(length / 8))) : undefined;
  const offsetOf = (row: number): number =>
    width === 4 ? at.readInt32LE(row * 4) : Number(at.readBigInt64LE(row * 8));
  return (row) => {
    const [from, to] = [offsetOf(row), offsetOf(row + 1)];
    if (from < 0 || to < from || to > data.length) throw new StorageError('corrupt', `${file.uri}: bad offsets`);
    if (to === from || (isValid && ((isValid[row >> 3]! >> (row & 7)) & 1) === 0)) return undefined;
    return { kind: 'bytes', first: body + data.offset + from, length: to - from };
  };
}
