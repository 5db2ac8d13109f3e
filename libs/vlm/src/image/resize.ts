import type { RgbImage } from './rgb-image.js';

/** PIL's filters, by the codes of `resample` in preprocessor_config.json. */
export type Resample = 1 | 2 | 3;

const FILTERS: Readonly<Record<Resample, { readonly support: number; readonly weight: (x: number) => number }>> = {
  1: { support: 3, weight: lanczos },
  2: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  3: { support: 2, weight: bicubic },
};

function lanczos(x: number): number {
  const sinc = (t: number): number => (t === 0 ? 1 : Math.sin(t * Math.PI) / (t * Math.PI));
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function bicubic(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
}

/**
 * Antialiased resize in fixed point, bit for bit as torchvision's `resize` of uint8 tensors: width first, then height, rounded to 8 bits in between; an axis of unchanged size is left alone.
 */
export function resize(image: RgbImage, width: number, height: number, resample: Resample): RgbImage {
  const wide = width === image.width ? image : resizeWidth(image, width, resample);
  return height === wide.height ? wide : resizeHeight(wide, height, resample);
}

/** Which inputs make an output, and their weights in fixed point. */
interface Taps {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** [size, longest], 0 after the last tap; `longest` is a multiple of 4. */
  readonly weights: Int32Array;
  readonly longest: number;
  readonly bits: number;
}

function tapsOf(from: number, to: number, resample: Resample): Taps {
  const { support, weight } = FILTERS[resample];
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const starts = new Int32Array(to);
  const rows = Array.from({ length: to }, (_, i) => {
    const center = scale * (i + 0.5);
    const start = Math.max(Math.trunc(center - support * stretch + 0.5), 0);
    const count = Math.min(Math.trunc(center + support * stretch + 0.5), from) - start;
    starts[i] = start;
    const raw = Array.from({ length: count }, (__, j) => weight((j + start - center + 0.5) * (1 / stretch)));
    const sum = raw.reduce((total, w) => total + w, 0);
    return raw.map((w) => w / sum);
  });
  const longest = 4 * Math.ceil(rows.reduce((most, row) => Math.max(most, row.length), 0) / 4);
  const bits = precision(rows);
  const weights = new Int32Array(to * longest);
  rows.forEach((row, i) =>
    row.forEach((w, j) => (weights[i * longest + j] = Math.trunc(w * 2 ** bits + (w >= 0 ? 0.5 : -0.5)))),
  );
  return { starts, counts: Int32Array.from(rows, (row) => row.length), weights, longest, bits };
}

/** torchvision takes as many bits, up to 22, as let the largest weight fit 16 bits. */
function precision(rows: readonly (readonly number[])[]): number {
  const largest = rows.reduce((most, row) => row.reduce((m, w) => Math.max(m, w), most), 0);
  let bits = 22;
  while (Math.trunc(0.5 + largest * 2 ** bits) >= 2 ** 15) bits--;
  return bits;
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function resizeWidth({ width: from, height, data }: RgbImage, width: number, resample: Resample): RgbImage {
  const { starts, counts, weights, longest, bits } = tapsOf(from, width, resample);
  const out = new Uint8Array(3 * height * width);
  const half = 1 << (bits - 1);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      let [red, green, blue] = [half, half, half];
      let at = 3 * (y * from + starts[x]!);
      const first = x * longest;
      const last = first + counts[x]!;
      for (let tap = first; tap < last; tap++, at += 3) {
        const w = weights[tap]!;
        red = (red + data[at]! * w) | 0;
        green = (green + data[at + 1]! * w) | 0;
        blue = (blue + data[at + 2]! * w) | 0;
      }
      out[to] = clamp(red >> bits);
      out[to + 1] = clamp(green >> bits);
      out[to + 2] = clamp(blue >> bits);
    }
  }
  return { width, height, data: out };
}

function resizeHeight({ width, height: from, data }: RgbImage, height: number, resample: Resample): RgbImage {
  const { starts, counts, weights, longest, bits } = tapsOf(from, height, resample);
  const row = 3 * width;
  const out = new Uint8Array(height * row);
  const sums = new Int32Array(row);
  for (let y = 0; y < height; y++) {
    sums.fill(1 << (bits - 1));
    for (let j = 0; j < counts[y]!; j += 4) addFourRows(sums, data, (starts[y]! + j) * row, weights, y * longest + j);
    const to = y * row;
    for (let x = 0; x < row; x++) out[to + x] = clamp(sums[x]! >> bits);
  }
  return { width, height, data: out };
}

/** Adds four neighbouring rows at once: most of the time goes into reading and writing `sums`. */
function addFourRows(sums: Int32Array, data: Uint8Array, at: number, weights: Int32Array, tap: number): void {
  const row = sums.length;
  const [w0, w1, w2, w3] = [weights[tap]!, weights[tap + 1]!, weights[tap + 2]!, weights[tap + 3]!];
  // Rows past the last tap have weight 0; past the image's end any row will do.
  const end = data.length - row;
  const [a, b, c, d] = [at, Math.min(at + row, end), Math.min(at + 2 * row, end), Math.min(at + 3 * row, end)];
  for (let x = 0; x < row; x++) {
    sums[x] = (sums[x]! + data[a + x]! * w0 + data[b + x]! * w1 + data[c + x]! * w2 + data[d + x]! * w3) | 0;
  }
}
