import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '@mpa/vlm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KernelSet } from './kernel-set.js';
import { loadModel } from './load-model.js';
import type { LoadOptions } from './load-model.js';
import { OnnxError } from './onnx-error.js';
import { oracleFolder } from './oracle.fixture.js';

let folder: string;
let checkpointDir: string;
let cacheDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onnx-load-'));
  checkpointDir = join(folder, 'checkpoint');
  cacheDir = join(folder, 'cache');
  cpSync(oracleFolder, checkpointDir, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

async function load(options: Partial<LoadOptions> = {}, kernels?: KernelSet): Promise<void> {
  const checkpoint = await openCheckpoint(checkpointDir);
  const model = await loadModel(checkpoint, { cacheDir, threads: 1, ...options }, kernels);
  checkpoint.close();
  await model.close();
}

/** Folders of the cache, with when their weights were written. */
const exports = (): string[] =>
  readdirSync(cacheDir)
    .sort()
    .map((name) => `${name} ${statSync(join(cacheDir, name, 'model.data')).mtimeMs}`);

it('exports a checkpoint once for each precision', async () => {
  await load();
  const first = exports();
  expect(first.map((name) => name.replace(/-[^-]*-[^-]*$/, ''))).toEqual(['text-float32', 'vision-float32']);
  await load();
  expect(exports()).toEqual(first);
  await load({ precision: 'int8' });
  expect(exports().length).toBe(4);
});

it('exports in place when weights or options changed', async () => {
  await load();
  const first = exports();
  utimesSync(join(checkpointDir, 'model.safetensors'), 1, 1);
  await load();
  const second = exports();
  expect(second.length).toBe(2);
  expect(second).not.toEqual(first);
  await load({ attentionLayers: 2 });
  expect(exports().length).toBe(2);
  expect(exports()).not.toEqual(second);
});

it('keeps graphs for CUDA beside those for the CPU', async () => {
  await load();
  const cpu = exports();
  await load({}, 'cuda');
  const both = exports();
  expect(both.length).toBe(4);
  expect(both).toEqual(expect.arrayContaining(cpu));
  await load();
  await load({}, 'cuda');
  expect(exports()).toEqual(both);
});

it('says what to do where a provider is not installed, before anything is exported', async () => {
  const providers = load({ executionProviders: ['nonesuch', 'cpu'] });
  await expect(providers).rejects.toThrow(OnnxError);
  await expect(providers).rejects.toThrow(/provider nonesuch is not installed \(those that are: cpu[^)]*\)/);
  expect(existsSync(cacheDir)).toBe(false);
});

it('leaves one whole export when several load at once', async () => {
  await Promise.all([load(), load(), load()]);
  expect(exports().length).toBe(2);
  await load();
});

it('says what attentionLayers may be', async () => {
  await expect(load({ attentionLayers: 4 })).rejects.toThrow(OnnxError);
  await expect(load({ attentionLayers: 4 })).rejects.toThrow(/must be 1 to 3/);
});
