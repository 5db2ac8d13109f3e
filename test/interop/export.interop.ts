import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadModel } from '@mpa/onnx';
import { collate, disposeLayout, layOut, loadTensorflow, Parameters, TensorModel, tf } from '@mpa/tensorflow';
import { decodeImage, openCheckpoint } from '@mpa/vlm';
import type { Checkpoint, ProcessedImage } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonEnvironment } from './python-environment.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const MODELS = join(ROOT, 'test/fixtures/vlm');
const PYTHON_SIDE = join(ROOT, 'test/interop/exported.py');
const QUESTION = 'What is drawn?';
const SAMPLES = 3;
const run = promisify(execFile);

/** Float32 noise of logits around ±8 between implementations: 3.7e-5 was measured over the oracle's models. */
const TOLERANCE = 1e-4;

/** Every tiny checkpoint that is there, of whatever family. */
const models = readdirSync(MODELS).filter((name) => existsSync(join(MODELS, name, 'lora_init')));

let python: string;
beforeAll(async () => {
  python = await pythonEnvironment();
  await loadTensorflow();
});

describe.each(models)('exports of a LoRA run on %s', (name) => {
  const student = join(MODELS, name);
  const image = join(student, 'images', 'case0_0_0.png');
  const work = mkdtempSync(join(tmpdir(), 'mpa-interop-export-'));
  const at = (file: string): string => join(work, file);
  afterAll(() => rmSync(work, { recursive: true }));

  const mpa = (...args: string[]): Promise<unknown> =>
    run(process.execPath, [join(ROOT, 'libs/cli/bin/mpa.js'), ...args]);
  const inPython = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' };
    return (await run(python, [PYTHON_SIDE, ...args], { env, maxBuffer: 2 ** 26 })).stdout;
  };
  const floats = (file: string): Float32Array => new Float32Array(Uint8Array.from(readFileSync(at(file))).buffer);

  beforeAll(async () => {
    const names = readdirSync(join(student, 'images')).slice(0, SAMPLES);
    const rows = names.map((file, i) => ({ image_path: file, predicted_question: 'What is drawn', predicted_answer: `thing ${i}` })); // prettier-ignore
    writeFileSync(at('rows.json'), JSON.stringify(rows));
    writeFileSync(at('config.yaml'), 'trainer: { training: { learningRate: 0.01, batch: 1 } }\n');
    await mpa('import', at('rows.json'), '--format', 'mpa-json', '--task', 'chartqa', '--image-root', join(student, 'images'), '--out', at('run')); // prettier-ignore
    await mpa('align', '--student', student, '--out', at('run'), '--config', at('config.yaml'));
    await mpa('export', at('run'), '--format', 'hf', '--out', at('merged'));
    await mpa('export', at('run'), '--format', 'hf', '--adapter', '--out', at('adapter'));
    await mpa('export', at('run'), '--format', 'parquet', '--out', at('table'));
    await inPython('logits', student, at('merged'), at('adapter'), image, QUESTION, at('python'));
  });

  it('the adapter in PEFT and the merged folder in transformers give the same logits, other than before', () => {
    const [base, merged, adapted] = [floats('python.base'), floats('python.merged'), floats('python.adapted')];
    expect(largestDifference(merged, adapted)).toBeLessThan(TOLERANCE);
    // So that an adapter that was not loaded cannot pass.
    expect(largestDifference(merged, base)).toBeGreaterThan(1000 * TOLERANCE);
  });

  it('both backends give them too', async () => {
    const checkpoint = await openCheckpoint(at('merged'));
    const { processor } = checkpoint;
    const processed = processor.image(await decodeImage(image));
    const content = [{ type: 'image' }, { type: 'text', text: QUESTION }] as const;
    const ids = processor.prompt([{ role: 'user', content }], [processed]);
    expect([...ids]).toEqual([...new Int32Array(Uint8Array.from(readFileSync(at('python.ids'))).buffer)]);
    const merged = floats('python.merged');
    expect(largestDifference(await onnxLogits(checkpoint, ids, processed, at('graphs')), merged)).toBeLessThan(TOLERANCE); // prettier-ignore
    expect(largestDifference(tensorflowLogits(checkpoint, ids, processed), merged)).toBeLessThan(TOLERANCE);
    checkpoint.close();
  });

  it('pyarrow reads the table', async () => {
    const rows = JSON.parse(await inPython('rows', join(at('table'), 'samples.parquet'))) as Record<string, unknown>[];
    expect(rows).toHaveLength(SAMPLES);
    for (const row of rows) {
      expect(row).toMatchObject({ question: QUESTION, decision: 'selected', self_check: null, teacher_n_best: null });
      expect(existsSync(row['image'] as string)).toBe(true);
    }
  });
});

async function onnxLogits(
  checkpoint: Checkpoint,
  ids: Int32Array,
  image: ProcessedImage,
  cacheDir: string,
): Promise<Float32Array> {
  const model = await loadModel(checkpoint, { cacheDir });
  const images = await model.encodeImage([image]);
  const [logits] = await model.logits([{ ids, images }]);
  await model.close();
  return logits!;
}

function tensorflowLogits(
  { family, config, weights, shape }: Checkpoint,
  ids: Int32Array,
  image: ProcessedImage,
): Float32Array {
  const parameters = new Parameters(weights, { kind: 'full' }, () => 0);
  const model = new TensorModel(family, config, parameters);
  const layout = layOut(collate([{ ids, labels: ids, images: [image] }], shape), shape);
  const logits = tf.tidy(() => model.head(model.hidden(layout, model.imageFeatures(layout))).dataSync<'float32'>());
  disposeLayout(layout);
  parameters.dispose();
  return logits;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}
