import { bitsAt, varintAt } from './parquet-bits.js';

/**
 * Reads `count` numbers of `width` bits, runs and packed ones in turn (parquet-format, `Encodings.md`: RLE / bit-packing hybrid); what the
 * data says beyond that is not read. Throws Error when there are fewer.
 */
export function readHybrid(bytes: Uint8Array, width: number, count: number): Uint32Array {
  const values = new Uint32Array(count);
  if (width === 0) return values;
  if (width > 32) throw new Error(`a page has numbers of ${width} bits`);
  for (let at = 0, seen = 0; seen < count;) {
    const { value: header, end } = varintAt(bytes, at);
    const times = Math.floor(header / 2);
    if (header % 2 === 1) {
      const next = Math.min(count, seen + times * 8);
      for (let bit = end * 8; seen < next; bit += width) values[seen++] = bitsAt(bytes, bit, width);
      at = end + times * width;
    } else {
      const next = Math.min(count, seen + times);
      values.fill(bitsAt(bytes, end * 8, width), seen, next);
      seen = next;
      at = end + Math.ceil(width / 8);
    }
  }
  return values;
}
