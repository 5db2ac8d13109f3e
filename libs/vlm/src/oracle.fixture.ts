import { cp, mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The tiny checkpoint of a family with what transformers computes on it. */
export function oracleOf(family: 'smolvlm' | 'internvl' | 'llava' | 'qwen2_vl' | 'qwen2_5_vl'): string {
  return fileURLToPath(new URL(`../../../test/fixtures/vlm/${family}-a`, import.meta.url));
}

/** SmolVLM's. */
export const oracle = oracleOf('smolvlm');

/** A temporary folder, gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'mpa-vlm-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A copy of an oracle's checkpoint in one of its layouts, to be damaged by a test. */
export async function checkpointCopy(
  layout: 'hub' | 'v5_layout' | 'idefics3_layout' = 'hub',
  folder = oracle,
): Promise<string> {
  const dir = await temporaryFolder();
  await cp(join(folder, 'model.safetensors'), join(dir, 'model.safetensors'));
  const from = layout === 'hub' ? folder : join(folder, layout);
  await cp(from, dir, { recursive: true, filter: (path) => path === from || /\.(json|jinja)$/.test(path) });
  return dir;
}

/** A tensor of reference.safetensors, whose integers the product itself does not read. */
export function reference(
  name: string,
  folder = oracle,
): { readonly shape: readonly number[]; readonly data: ArrayLike<number> } {
  const file = readFileSync(join(folder, 'reference.safetensors'));
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<string, ReferenceEntry>;
  const { dtype, shape, data_offsets: offsets } = header[name]!;
  const { buffer } = new Uint8Array(file.subarray(8 + length + offsets[0], 8 + length + offsets[1]));
  const data = { I32: Int32Array, U8: Uint8Array, F32: Float32Array }[dtype];
  return { shape, data: new data(buffer) };
}

interface ReferenceEntry {
  readonly dtype: 'I32' | 'U8' | 'F32';
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}
