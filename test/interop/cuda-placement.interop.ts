import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadModel, precisions } from '@mpa/onnx';
import type { KernelSet, Precision } from '@mpa/onnx';
import { defaultCacheDirectory } from '@mpa/tensorflow';
import { openCheckpoint } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileStandIns, unpackOnnxruntimeGpu } from './cuda-stand-ins.js';
import { pythonEnvironment } from './python-environment.js';

const run = promisify(execFile);
const FIXTURES = new URL('../fixtures/vlm/', import.meta.url).pathname;
const PYTHON_SIDE = new URL('cuda_placement.py', import.meta.url).pathname;
const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };

/** What computes shapes and positions, a few numbers each, which ONNX Runtime itself takes back from CUDA. */
const OF_SHAPES = new Set(['Add', 'Cast', 'Concat', 'Div', 'Gather', 'Min', 'Mod', 'Mul', 'Reshape', 'Sqrt', 'Sub']);

const work = await mkdtemp(join(tmpdir(), 'mpa-cuda-placement-'));
afterAll(() => rm(work, { recursive: true }));
let python: string;
let libraries: string;
beforeAll(async () => {
  python = await pythonEnvironment();
  const packages = join(defaultCacheDirectory(), `onnxruntime-gpu-${version}`);
  libraries = await unpackOnnxruntimeGpu(python, version, packages);
  await compileStandIns(libraries, join(work, 'stand-ins'));
});

/** Operators of a checkpoint's graphs that the CUDA provider leaves to the CPU. */
async function leftToCpu(name: string, precision: Precision, kernels: KernelSet): Promise<ReadonlySet<string>> {
  const checkpoint = await openCheckpoint(join(FIXTURES, name));
  const cacheDir = join(work, `${name}-${precision}-${kernels}`);
  await (await loadModel(checkpoint, { cacheDir, precision }, kernels)).close();
  checkpoint.close();
  const graphs = (await readdir(cacheDir)).map((folder) => join(cacheDir, folder, 'model.onnx'));
  const env = { ...process.env, LD_LIBRARY_PATH: join(work, 'stand-ins') };
  const { stderr } = await run(python, [PYTHON_SIDE, join(libraries, '../..'), ...graphs], { env, maxBuffer: 2 ** 28 });
  const placements = stderr.split(/(?:All nodes|Node\(s\)) placed on /).slice(1);
  expect(placements.filter((nodes) => nodes.startsWith('[CUDAExecutionProvider]')).length).toBe(graphs.length);
  const left = placements.filter((nodes) => nodes.startsWith('[CPUExecutionProvider]'));
  return new Set(left.flatMap((nodes) => [...nodes.matchAll(/IsAssignedToAnEp\]\s+(\w+) \(/g)].map(([, op]) => op!)));
}

const checkpoints = (await readdir(FIXTURES, { withFileTypes: true })).filter((entry) => entry.isDirectory());

describe.each(checkpoints.map(({ name }) => name))("ONNX Runtime's CUDA provider", (name) => {
  it.each(precisions)(`computes ${name} in %s but for shapes and positions`, async (precision) => {
    const left = await leftToCpu(name, precision, 'cuda');
    expect([...left].filter((op) => !OF_SHAPES.has(op))).toEqual([]);
  });
});

it('leaves attention to the CPU where the graph is for the CPU', async () => {
  expect(await leftToCpu('smolvlm-a', 'float32', 'cpu')).toContain('GroupQueryAttention');
});
