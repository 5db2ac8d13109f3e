import { bitsAt, byteAt, signed, stretch, varintAt } from './parquet-bits.js';

/** Bits of a difference of two 32-bit numbers, and one more. */
const WIDEST = 33;

/**
 * Reads `count` texts that are written as lengths and what follows them (parquet-format, `Encodings.md`: delta-length byte array), or, with
 * prefixes, as what each has in common with the one before it and the rest (delta byte array).
 *
 * @param spend told of bytes before they are taken for a text that is not in `bytes` as it is
 * @throws Error when it is damaged, and what `spend` throws
 */
export function readDeltaTexts(
  bytes: Uint8Array,
  count: number,
  { prefixes, spend }: { readonly prefixes: boolean; readonly spend: (bytes: number) => void },
): Uint8Array[] {
  const shared = prefixes ? readDeltas(bytes, 0, count) : undefined;
  const lengths = readDeltas(bytes, shared?.end ?? 0, count);
  let at = lengths.end;
  let previous: Uint8Array = new Uint8Array();
  return Array.from(lengths.values, (length, i) => {
    const rest = stretch(bytes, at, length);
    at += length;
    const prefix = stretch(previous, 0, shared?.values[i] ?? 0);
    if (prefix.length > 0) spend(prefix.length + length);
    previous = prefix.length > 0 ? Buffer.concat([prefix, rest]) : rest;
    return previous;
  });
}

/** `count` 32-bit numbers, as their differences (`Encodings.md`: delta encoding), and where they end. */
function readDeltas(bytes: Uint8Array, at: number, count: number): { values: Int32Array; end: number } {
  const numbers = [0, 0, 0, 0].map(() => {
    const { value, end } = varintAt(bytes, at);
    at = end;
    return value;
  });
  const [block, parts, stated, first] = numbers as [number, number, number, number];
  const each = block / parts;
  if (stated !== count || !(each > 0) || each % 8 !== 0) throw new Error('its lengths are damaged');
  const values = new Int32Array(count);
  let value = signed(first);
  for (let seen = 0; seen < count;) {
    if (seen === 0) values[seen++] = value;
    if (seen === count) break;
    const least = varintAt(bytes, at);
    const widths = stretch(bytes, least.end, parts);
    at = least.end + parts;
    for (let part = 0; part < parts && seen < count; part++) {
      const width = byteAt(widths, part);
      if (width > WIDEST) throw new Error('its lengths are damaged');
      for (let i = 0; i < each && seen < count; i++) {
        value = (value + signed(least.value) + bitsAt(bytes, at * 8 + i * width, width)) | 0;
        values[seen++] = value;
      }
      at += (each * width) / 8;
    }
  }
  return { values, end: at };
}
