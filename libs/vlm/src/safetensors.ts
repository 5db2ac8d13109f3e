import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { CheckpointError } from './checkpoint-error.js';
import { BYTES, narrow, widen } from './float-formats.js';
import type { Dtype, Weights } from './weights.js';

/** The format's own limit on the header. */
const LONGEST_HEADER = 100_000_000;

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

interface Entry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** In bytes from the start of the file. */
  readonly start: number;
  readonly end: number;
}

/** A tensor to be written. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** Weights in an open file; {@link close} lets go of it. */
export interface SafetensorsFile extends Weights {
  close(): void;
}

/**
 * Opens a safetensors file: reads and checks the header, and each tensor from disk when asked for. Throws
 * CheckpointError when the header lies about the file: too long, no JSON, offsets outside of it, overlapping or leaving
 * holes, sizes that contradict the shape, or an element type that is no float of 16 or 32 bits.
 * Format: https://huggingface.co/docs/safetensors.
 */
export function openSafetensors(path: string): SafetensorsFile {
  const file = openForReading(path);
  let entries: ReadonlyMap<string, Entry>;
  try {
    entries = readHeader(file, path);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name);
    if (!entry) throw new CheckpointError(`${path}: there is no tensor ${name}`);
    return entry;
  };
  return {
    names: [...entries.keys()],
    shape: (name) => entryOf(name).shape,
    dtype: (name) => entryOf(name).dtype,
    read: (name) => {
      const { start, end, dtype } = entryOf(name);
      return widen(readBytes(file, start, end - start, path).buffer, dtype);
    },
    close: () => closeSync(file),
  };
}

function openForReading(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw new CheckpointError(`${path}: cannot be opened (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

function readBytes(file: number, start: number, length: number, path: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const read = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), start + done);
    if (read === 0) throw new CheckpointError(`${path}: the file ends early; download it again`);
    done += read;
  }
  return bytes;
}

function readHeader(file: number, path: string): ReadonlyMap<string, Entry> {
  const { size } = fstatSync(file);
  if (size < 8) throw new CheckpointError(`${path}: ${size} bytes are no safetensors file; download it again`);
  const prefix = readBytes(file, 0, 8, path);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (length > LONGEST_HEADER || length > size - 8) {
    throw new CheckpointError(
      `${path}: its header claims ${length} bytes of a file of ${size}; it is damaged or no safetensors file`,
    );
  }
  const header = parseHeader(readBytes(file, 8, length, path), path);
  const entries = new Map<string, Entry>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') entries.set(name, checkEntry(name, value, 8 + length, size, path));
  }
  checkLayout(entries, 8 + length, size, path);
  return entries;
}

function parseHeader(bytes: Uint8Array, path: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof header === 'object' && header !== null && !Array.isArray(header))
      return header as Record<string, unknown>;
  } catch (cause) {
    throw new CheckpointError(`${path}: its header is not JSON; it is damaged or no safetensors file`, { cause });
  }
  throw new CheckpointError(`${path}: its header is not a JSON object`);
}

function checkEntry(name: string, value: unknown, base: number, size: number, path: string): Entry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) throw new CheckpointError(`${path}: tensor ${name}: ${parsed.error.issues[0]!.message}`);
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  if (!Object.hasOwn(BYTES, dtype)) {
    throw new CheckpointError(`${path}: tensor ${name} is ${dtype}; only ${Object.keys(BYTES).join(', ')} are read`);
  }
  const [start, end] = [base + offsets[0], base + offsets[1]];
  if (end < start || end > size) {
    throw new CheckpointError(
      `${path}: tensor ${name} lies at bytes ${start} to ${end} of a file of ${size}; the file is truncated or damaged`,
    );
  }
  const expected = elements(shape) * BYTES[dtype as Dtype];
  if (end - start !== expected) {
    throw new CheckpointError(
      `${path}: tensor ${name} [${shape.join(', ')}] ${dtype} takes ${expected} bytes, but has ${end - start}`,
    );
  }
  return { dtype: dtype as Dtype, shape, start, end };
}

function checkLayout(entries: ReadonlyMap<string, Entry>, base: number, size: number, path: string): void {
  let at = base;
  for (const [name, { start, end }] of [...entries].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (start !== at) {
      const what = start < at ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw new CheckpointError(`${path}: tensor ${name} ${what}; the file is damaged`);
    }
    at = end;
  }
  if (at !== size) throw new CheckpointError(`${path}: ${size - at} bytes follow the last tensor; the file is damaged`);
}

/**
 * Writes tensors one after the other, to a temporary file that then takes the place of `path`. `layout` gives every name and
 * shape first; `tensors` gives the values in the same order and is walked once, so that no more than one need be in memory.
 * Throws CheckpointError, leaving no file behind, for a tensor out of order or of another shape, one that is absent, or a
 * value that `dtype` cannot hold.
 */
export function writeSafetensors(
  path: string,
  layout: Iterable<Pick<NamedTensor, 'name' | 'shape'>>,
  tensors: Iterable<NamedTensor>,
  dtype: Dtype,
): void {
  const expected = [...layout];
  const temporary = `${path}.writing`;
  const file = openSync(temporary, 'w');
  try {
    writeAll(file, headerOf(expected, dtype));
    let written = 0;
    for (const tensor of tensors) writeAll(file, bytesOf(tensor, expected[written++], dtype, path));
    if (written < expected.length) throw new CheckpointError(`${path}: no values for ${expected[written]!.name}`);
    fsyncSync(file);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Length and JSON, padded so that the data starts at a multiple of 8 bytes. */
function headerOf(layout: readonly Pick<NamedTensor, 'name' | 'shape'>[], dtype: Dtype): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const { name, shape } of layout) {
    const end = offset + elements(shape) * BYTES[dtype];
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
}

function bytesOf(
  { name, shape, values }: NamedTensor,
  expected: Pick<NamedTensor, 'name' | 'shape'> | undefined,
  dtype: Dtype,
  path: string,
): Uint8Array {
  const matches = expected?.name === name && expected.shape.join() === shape.join();
  if (!matches || values.length !== elements(shape)) {
    const wanted = expected ? `${expected.name} [${expected.shape.join(', ')}]` : 'no more tensors';
    throw new CheckpointError(
      `${path}: ${name} [${shape.join(', ')}] with ${values.length} values given, ${wanted} expected`,
    );
  }
  try {
    return narrow(values, dtype);
  } catch (cause) {
    throw new CheckpointError(`${path}: tensor ${name}: ${(cause as Error).message}`, { cause });
  }
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, Math.min(bytes.length - done, 2 ** 30));
}
