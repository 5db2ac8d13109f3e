import { readFileSync } from 'node:fs';
import { smolVlm } from '@mpa/vlm';
import type { SmolVlmConfig, Weights } from '@mpa/vlm';
import type { ProcessedImage } from './encode-images.js';
import type { ModelSource } from './load-model.js';

const folder = new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url);

export interface Stored {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** All tensors of a safetensors file. */
export function readTensors(path: URL | string): Map<string, Stored> {
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
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [start, end] = entry.data_offsets;
    const bytes = Uint8Array.from(file.subarray(8 + length + start, 8 + length + end));
    tensors.set(name, { shape: entry.shape, values: new types[entry.dtype]!(bytes.buffer) });
  }
  return tensors;
}

export function readSource(base: URL | string, fingerprint: string): ModelSource<SmolVlmConfig> {
  const tensors = readTensors(new URL('model.safetensors', base));
  const weights: Weights = {
    names: [...tensors.keys()],
    shape: (name) => tensors.get(name)!.shape,
    dtype: () => 'F32',
    read: (name) => tensors.get(name)!.values as Float32Array,
  };
  const config = smolVlm.readConfig(JSON.parse(readFileSync(new URL('config.json', base), 'utf8')));
  return { family: smolVlm, config, weights, fingerprint };
}

export const source = readSource(folder, 'smolvlm-a');
export const reference = readTensors(new URL('reference.safetensors', folder));

const tensor = (name: string): Stored => reference.get(name)!;

/** The images of a case: per sample all its non-padding tiles as one image. */
export function images(index: number): ProcessedImage[] {
  const { shape, values } = tensor(`case${index}.pixel_values`);
  const [samples, tiles, , height, width] = shape as [number, number, number, number, number];
  const size = 3 * height * width;
  const patches =
    Math.floor(height / source.config.vision.patchSize) * Math.floor(width / source.config.vision.patchSize);
  return Array.from({ length: samples }, (_, b) => {
    const all = Array.from({ length: tiles }, (_, t) =>
      (values as Float32Array).slice((b * tiles + t) * size, (b * tiles + t + 1) * size),
    );
    const real = all.filter((tile) => tile.some((pixel) => pixel !== 0));
    return {
      tiles: real.length,
      pixels: Float32Array.from(real.flatMap((tile) => [...tile])),
      positionIds: Int32Array.from({ length: real.length * patches }, (_, i) => i % patches),
      patchMask: new Uint8Array(real.length * patches).fill(1),
    };
  });
}

/** Rows of an integer tensor [B, T] without what the mask hides. */
export function rows(ids: string, mask?: string): Int32Array[] {
  const { shape, values } = tensor(ids);
  const [count, width] = shape as [number, number];
  const hidden = mask === undefined ? undefined : tensor(mask).values;
  return Array.from({ length: count }, (_, b) =>
    Int32Array.from(values.slice(b * width, (b + 1) * width)).filter((_, i) => hidden?.[b * width + i] !== 0),
  );
}
