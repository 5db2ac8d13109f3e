import type { Dtype } from './weights.js';

/** Bytes of one element. */
export const BYTES: Readonly<Record<Dtype, number>> = { F32: 4, F16: 2, BF16: 2 };

/** Widens little-endian floating-point values that fill `buffer` to float32, exactly; F32 shares the buffer. */
export function widen(buffer: ArrayBuffer, dtype: Dtype): Float32Array {
  if (dtype === 'F32') return new Float32Array(buffer);
  const halves = new Uint16Array(buffer);
  const values = new Float32Array(halves.length);
  if (dtype === 'BF16') {
    const bits = new Uint32Array(values.buffer);
    for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  } else {
    for (let i = 0; i < halves.length; i++) values[i] = float16(halves[i]!);
  }
  return values;
}

/**
 * Narrows float32 to a type's little-endian bytes, rounding to nearest, ties to even, as PyTorch does. Throws RangeError for a
 * finite value that the type cannot hold.
 */
export function narrow(values: Float32Array, dtype: Dtype): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const [convert, infinity] = dtype === 'BF16' ? ([toBfloat16, 0x7f80] as const) : ([toFloat16, 0x7c00] as const);
  for (let i = 0; i < bits.length; i++) {
    const half = convert(bits[i]!, values[i]!);
    if ((half & 0x7fff) === infinity && Number.isFinite(values[i])) {
      throw new RangeError(`${values[i]} does not fit in ${dtype}; write F32`);
    }
    halves[i] = half;
  }
  return new Uint8Array(halves.buffer);
}

function float16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function toBfloat16(bits: number): number {
  const isNaN = (bits & 0x7fffffff) > 0x7f800000;
  return isNaN ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function toFloat16(bits: number, value: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and more
  if (magnitude < 0x38800000) {
    // Subnormal, in units of 2^-24: adding 1/2, whose last bit is that unit, lets float32 do the rounding.
    return sign | ((Math.fround(Math.abs(value) + 0.5) - 0.5) * 2 ** 24);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}
