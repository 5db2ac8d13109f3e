import type { Dtype } from './weights.js';

/** Bytes of one element. */
export const BYTES: Readonly<Record<Dtype, number>> = { F32: 4, F16: 2, BF16: 2 };

const scratch = new DataView(new ArrayBuffer(4));

/** Widens little-endian bytes of a floating-point type to float32. `bytes` may be reused by the caller afterwards. */
export function widen(bytes: Uint8Array, dtype: Dtype): Float32Array {
  const aligned = bytes.slice().buffer;
  if (dtype === 'F32') return new Float32Array(aligned);
  const halves = new Uint16Array(aligned);
  const values = new Float32Array(halves.length);
  if (dtype === 'BF16') {
    const bits = new Uint32Array(values.buffer);
    for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  } else {
    for (let i = 0; i < halves.length; i++) values[i] = float16(halves[i]!);
  }
  return values;
}

/** Narrows float32 to a type's little-endian bytes, rounding to nearest, ties to even. */
export function narrow(values: Float32Array, dtype: Dtype): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  if (dtype === 'BF16') {
    for (let i = 0; i < bits.length; i++) {
      const b = bits[i]!;
      const isNaN = (b & 0x7fffffff) > 0x7f800000;
      halves[i] = isNaN ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
    }
  } else {
    for (let i = 0; i < values.length; i++) halves[i] = toFloat16(values[i]!);
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

function toFloat16(value: number): number {
  scratch.setFloat32(0, value);
  const sign = (scratch.getUint32(0) >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 2 ** -24)));
  const unit = 2 ** (exponent - 10);
  const steps = roundHalfEven(magnitude / unit); // 1024..2048, or fewer for subnormals
  return sign | (exponent === -14 ? steps : steps - 1024 + ((exponent + 15) << 10));
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
