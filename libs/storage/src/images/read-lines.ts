import type { Files } from './files.js';

/** Bytes of a list that are in memory at once. */
const CHUNK = 4 * 2 ** 20;
/** Longer lines are no references. */
const LONGEST = 64 * 1024;

/** A line of a file, counted from 1; without its text when it is too long to be a reference. */
export interface Line {
  readonly number: number;
  readonly text: string | undefined;
}

/**
 * The lines of a UTF-8 file that are not blank, trimmed. The file is read in stretches, as the lines are asked for, so any
 * length takes the same memory, and no connection is held open in between.
 */
export async function* readLines(files: Files, uri: string, signal?: AbortSignal): AsyncIterable<Line> {
  const size = await files.size(uri, signal);
  let number = 0;
  let rest: Buffer = Buffer.alloc(0);
  let isTooLong = false;
  for (let first = 0; first < size;) {
    const range = { first, length: Math.min(CHUNK, size - first) };
    const chunk = await files.read(uri, { range, maxBytes: CHUNK, signal });
    if (chunk.length === 0) break;
    first += chunk.length;
    const bytes =
      rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      number += 1;
      const line = toLine(number, bytes.subarray(start, end), isTooLong);
      if (line) yield line;
      isTooLong = false;
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LONGEST) {
      isTooLong = true;
      rest = Buffer.alloc(0);
    }
  }
  const last = toLine(number + 1, rest, isTooLong);
  if (last) yield last;
}

function toLine(number: number, bytes: Buffer, isTooLong: boolean): Line | undefined {
  if (isTooLong || bytes.length > LONGEST) return { number, text: undefined };
  const text = bytes.toString('utf8').trim();
  return text === '' ? undefined : { number, text };
}
