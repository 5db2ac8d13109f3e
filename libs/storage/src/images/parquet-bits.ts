/** Bytes of the longest number: 64 bits, seven in a byte. */
const LONGEST_NUMBER = 10;

/** A number without a sign in bytes of seven bits, the low ones first (LEB128). Throws Error when it has no end. */
export function varintAt(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let i = 0; i < LONGEST_NUMBER; i++) {
    const byte = byteAt(bytes, at + i);
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, end: at + i + 1 };
  }
  throw new Error('it has a number without an end');
}

/** The number with a sign that is written as `value` (zigzag). */
export function signed(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** The number of `width` bits whose lowest one is bit `first`. Throws Error where there are none. */
export function bitsAt(bytes: Uint8Array, first: number, width: number): number {
  let value = 0;
  for (let done = 0; done < width;) {
    const skipped = (first + done) % 8;
    const taken = Math.min(8 - skipped, width - done);
    value += ((byteAt(bytes, Math.floor((first + done) / 8)) >> skipped) & (2 ** taken - 1)) * 2 ** done;
    done += taken;
  }
  return value;
}

/** The byte there. Throws Error where there is none. */
export function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Error('it ends early');
  return byte;
}

/** The bytes there, not copied. Throws Error where they are not all inside. */
export function stretch(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (length < 0 || at + length > bytes.length) throw new Error(`${length} bytes at ${at} are not inside of it`);
  return bytes.subarray(at, at + length);
}
