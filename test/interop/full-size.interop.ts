import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { copyCompanions, countParameters, describeCheckpoint } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StepReport } from './full-size-step.js';
import { pythonEnvironment } from './python-environment.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const STEP = join(ROOT, 'test', 'dist', 'interop', 'full-size-step.js');
const PYTHON_SIDE = join(ROOT, 'test', 'interop', 'full_size.py');
const SMOLVLM = join(ROOT, 'test', 'fixtures', 'full-size', 'smolvlm-256m');
const INTERNVL = join(ROOT, 'test', 'fixtures', 'vlm', 'internvl-a');
const run = promisify(execFile);

/** Float32 noise of logits around ±1 through some 40 layers: measured 2e-5 at this size, with room. */
const TOLERANCE = 2e-4;

type Fields = Readonly<Record<string, unknown>>;

/** Full-size models: a folder that they are like, and what is other in its files. */
const models: readonly {
  readonly name: string;
  readonly parameters: number;
  readonly like: string;
  readonly other: Readonly<Record<string, Fields>>;
}[] = [
  { name: 'SmolVLM-256M', parameters: 256_484_928, like: SMOLVLM, other: {} },
  {
    name: 'SmolVLM-500M',
    parameters: 507_482_304,
    like: SMOLVLM,
    other: {
      'config.json': {
        text_config: { hidden_size: 960, intermediate_size: 2560, num_hidden_layers: 32, num_attention_heads: 15, num_key_value_heads: 5 }, // prettier-ignore
      },
    },
  },
  {
    name: 'InternVL3-1B',
    parameters: 938_193_024,
    like: INTERNVL,
    other: {
      'config.json': {
        image_seq_length: 256,
        tie_word_embeddings: false,
        text_config: { hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24, num_attention_heads: 14, vocab_size: 151674, tie_word_embeddings: false }, // prettier-ignore
        vision_config: { hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16, image_size: [448, 448], patch_size: [14, 14] }, // prettier-ignore
      },
      'preprocessor_config.json': { size: { height: 448, width: 448 } },
      'processor_config.json': { image_seq_length: 256 },
    },
  },
];

/** `fields` with those of `other`, inner objects likewise. */
function merged(fields: Fields, other: Fields): Fields {
  const isObject = (value: unknown): value is Fields =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = Object.entries(other).map(([key, value]) => {
    const old = fields[key];
    return [key, isObject(old) && isObject(value) ? merged(old, value) : value] as const;
  });
  return { ...fields, ...Object.fromEntries(entries) };
}

describe.each(models)('$name with random weights', ({ name, parameters, like, other }) => {
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
    await mkdir(checkpoint);
    await copyCompanions(like, checkpoint);
    for (const [file, fields] of Object.entries(other)) {
      const path = join(checkpoint, file);
      await writeFile(path, JSON.stringify(merged(JSON.parse(await readFile(path, 'utf8')) as Fields, fields)));
    }
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
  }, 900_000);

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
