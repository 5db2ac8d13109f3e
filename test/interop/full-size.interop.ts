import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { countParameters, describeCheckpoint } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StepReport } from './full-size-step.js';
import { pythonEnvironment } from './python-environment.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const STEP = join(ROOT, 'test', 'dist', 'interop', 'full-size-step.js');
const PYTHON_SIDE = join(ROOT, 'test', 'interop', 'full_size.py');
const LIKE = join(ROOT, 'test', 'fixtures', 'full-size', 'smolvlm-256m');
const run = promisify(execFile);

/** Float32 noise of logits around ±1 through some 40 layers: measured 2e-5 at this size, with room. */
const TOLERANCE = 2e-4;

const models = [
  { name: 'SmolVLM-256M', parameters: 256_484_928, text: {} },
  {
    name: 'SmolVLM-500M',
    parameters: 507_482_304,
    text: {
      hidden_size: 960,
      intermediate_size: 2560,
      num_hidden_layers: 32,
      num_attention_heads: 15,
      num_key_value_heads: 5,
    },
  },
];

describe.each(models)('$name with random weights', ({ name, parameters, text }) => {
  let python: string;
  let folder: string;
  let checkpoint: string;
  let cache: string;
  const rows: string[] = [];

  /** Runs a program that reports in its last line; time and peak memory go into the table. */
  async function reported<R extends StepReport>(what: string, command: string, args: string[]): Promise<R> {
    const { stdout } = await run(command, args);
    const report = JSON.parse(stdout.trim().split('\n').at(-1)!) as R;
    const peak = (report.peakBytes / 2 ** 30).toFixed(2);
    rows.push(
      `| ${name} | ${what.padEnd(48)} | ${report.seconds.toFixed(1).padStart(6)} s | ${peak.padStart(5)} GiB |`,
    );
    return report;
  }

  const step = (what: string, ...args: string[]): Promise<StepReport> =>
    reported(what, process.execPath, [STEP, ...args]);

  async function differenceInTransformers(model: string, prefix: string): Promise<number> {
    const what = 'transformers, PyTorch: load, logits of a prompt';
    const args = [PYTHON_SIDE, 'logits', model, prefix];
    return (await reported<StepReport & { difference: number }>(what, python, args)).difference;
  }

  beforeAll(async () => {
    python = await pythonEnvironment();
    folder = await mkdtemp(join(tmpdir(), 'mpa-full-size-'));
    [checkpoint, cache] = [join(folder, 'checkpoint'), join(folder, 'cache')];
    await cp(LIKE, checkpoint, { recursive: true });
    const path = join(checkpoint, 'config.json');
    const config = JSON.parse(await readFile(path, 'utf8')) as { text_config: object };
    await writeFile(path, JSON.stringify({ ...config, text_config: { ...config.text_config, ...text } }));
    await run(python, [PYTHON_SIDE, 'write', checkpoint]);
  });

  afterAll(async () => {
    console.log(rows.join('\n'));
    await rm(folder, { recursive: true, force: true });
  });

  it('has the published number of parameters', async () => {
    expect(countParameters(await describeCheckpoint(checkpoint))).toBe(parameters);
  });

  it('is read tensor by tensor', async () => {
    const { peakBytes } = await step('read every weight, one at a time', 'load', checkpoint, cache);
    // Node and its libraries, and the largest tensors on their way through the garbage collector: far below all of them.
    expect(peakBytes).toBeLessThan(parameters * 4);
  });

  it('is exported and answers, in every precision', async () => {
    for (const precision of ['float32', 'int8', 'int4']) {
      await step(`${precision}: export to ONNX and open`, 'export', checkpoint, cache, '', precision);
      const { values } = await step(`${precision}: open and answer`, 'answer', checkpoint, cache, '', precision);
      expect(values).toHaveLength(16);
    }
  });

  it('gives the logits that transformers gives', async () => {
    const prefix = join(folder, 'original');
    await step('float32: logits of a prompt', 'logits', checkpoint, cache, prefix);
    expect(await differenceInTransformers(checkpoint, prefix)).toBeLessThan(TOLERANCE);
  });

  it('is trained with LoRA, merged, saved, and gives the same logits here and in transformers', async () => {
    const [trained, prefix] = [join(folder, 'trained'), join(folder, 'after')];
    const { values } = await step('five LoRA steps, merge, save', 'train', checkpoint, cache, trained);
    expect(values!.at(-1)).toBeLessThan(values![0]!);
    await step('float32: logits after training', 'logits', trained, cache, prefix);
    expect(await differenceInTransformers(trained, prefix)).toBeLessThan(TOLERANCE);
    expect(await differenceInTransformers(trained, join(folder, 'original'))).toBeGreaterThan(10 * TOLERANCE);
  });
});
