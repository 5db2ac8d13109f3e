import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ImageInput } from '@mpa/vlm';

/** A tiny checkpoint, and what `transformers` computes on it. */
export const oracleFolder = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));

interface Stored {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** All tensors of a safetensors file, integers too. */
function readTensors(path: string): ReadonlyMap<string, Stored> {
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const types: Record<string, Float32ArrayConstructor | Int32ArrayConstructor | Uint8ArrayConstructor> = {
    F32: Float32Array,
    I32: Int32Array,
    U8: Uint8Array,
  };
  const tensors = new Map<string, Stored>();
  delete header['__metadata__'];
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    const [start, end] = data_offsets;
    const bytes = Uint8Array.from(file.subarray(8 + length + start, 8 + length + end));
    tensors.set(name, { shape, values: new types[dtype]!(bytes.buffer) });
  }
  return tensors;
}

const tensors = readTensors(`${oracleFolder}reference.safetensors`);

/** A stored tensor. */
export function stored(name: string): Stored {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`reference.safetensors has no ${name}`);
  return tensor;
}

/** Image tokens of a tile of the oracle. */
const TOKENS_PER_TILE = 4;

/** The tiles of each sample of a case, padding tiles left out, as one image. */
export function storedImages(index: number, patchSize = 8): ImageInput[] {
  const { shape, values } = stored(`case${index}.pixel_values`);
  const [samples, tiles, , height, width] = shape as [number, number, number, number, number];
  const size = 3 * height * width;
  const patches = Math.floor(height / patchSize) * Math.floor(width / patchSize);
  return Array.from({ length: samples }, (_, b) => {
    const all = Array.from({ length: tiles }, (_, t) =>
      (values as Float32Array).slice((b * tiles + t) * size, (b * tiles + t + 1) * size),
    );
    const real = all.filter((tile) => tile.some((pixel) => pixel !== 0));
    const pixels = Float32Array.from(real.flatMap((tile) => [...tile]));
    const positionIds = Int32Array.from({ length: real.length * patches }, (_, i) => i % patches);
    return {
      vision: {
        pixels: { data: pixels, shape: [real.length, 3, height, width] },
        positionIds: { data: positionIds, shape: [real.length, patches] },
      },
      tokens: real.length * TOKENS_PER_TILE,
    };
  });
}

/** Rows of an integer tensor [B, T] without what the mask hides. */
export function storedRows(ids: string, mask?: string): Int32Array[] {
  const { shape, values } = stored(ids);
  const [count, width] = shape as [number, number];
  const shown = mask === undefined ? undefined : stored(mask).values;
  return Array.from({ length: count }, (_, b) =>
    Int32Array.from(values.slice(b * width, (b + 1) * width)).filter((_, i) => shown?.[b * width + i] !== 0),
  );
}
