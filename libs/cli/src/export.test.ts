import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { loadModel } from '@mpa/onnx';
import { decodeImage, openCheckpoint, openSafetensors } from '@mpa/vlm';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeAlignInputs, type AlignInputs } from './align-inputs.fixture.js';
import { lastObject, runMpa } from './run-mpa.fixture.js';

const work = mkdtempSync(join(tmpdir(), 'mpa-export-'));
const run = join(work, 'run');
const SELECTED = 3;
const REJECTED = 1;
let inputs: AlignInputs;

/** A run that selected three samples and rejected one, on which the teacher contradicts what was imported; with all signals. */
beforeAll(async () => {
  inputs = await writeAlignInputs(work, SELECTED + REJECTED);
  const rows = Array.from({ length: SELECTED + REJECTED }, (_, i) => ({
    messages: [
      { role: 'user', content: '<image>What is drawn?' },
      { role: 'assistant', content: i < SELECTED ? 'a cat' : 'a dog' },
    ],
    images: [`good-${i}.png`],
  }));
  const [file, config] = [join(work, 'rows.jsonl'), join(work, 'signals.yaml')];
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const signals = '{ attention: { grid: 4 }, nBest: {}, rationale: { prompt: Read., stepBreak: " " } }';
  writeFileSync(config, `annotator: { signals: ${signals} }\ntrainer: { training: { learningRate: 0.002 } }\n`);
  const { images, teacher, student } = inputs;
  const imported = await runMpa('import', file, '--format', 'jsonl', '--task', 'chartqa', '--image-root', images, '--out', run); // prettier-ignore
  expect(imported).toMatchObject({ code: 0, stderr: '' });
  const aligned = await runMpa('align', '--teacher', teacher, '--student', student, '--out', run, '--config', config, '--json'); // prettier-ignore
  expect(aligned.code).toBe(0);
  expect(lastObject(aligned)).toMatchObject({ selected: SELECTED, rejected: { teacher_disagrees_with_itself: REJECTED } }); // prettier-ignore
}, 300_000);
afterAll(() => rmSync(work, { recursive: true }));

/** Exports into a new folder of that name. */
async function exported(
  name: string,
  ...flags: string[]
): Promise<{ folder: string; printed: Record<string, unknown> }> {
  const folder = join(work, name);
  const ended = await runMpa('export', run, '--out', folder, '--json', ...flags);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return { folder, printed: lastObject(ended) };
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

const readLines = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

/** What every format may say beside its conversation. */
const extras = { weight: z.number().positive(), rationale: z.array(z.string()).optional() };

/** Of both LLaMA-Factory and ms-swift: turns by role, and as many images as marks. */
const conversation = {
  messages: z.tuple([
    z.strictObject({ role: z.literal('user'), content: z.string().regex(/^<image>(?!.*<image>)./) }),
    z.strictObject({ role: z.literal('assistant'), content: z.string().min(1) }),
  ]),
  images: z.tuple([z.string().min(1)]),
};

/** LLaMA-Factory data/README.md: "Sharegpt Format", "OpenAI Format", and the `images` column of multimodal datasets. */
const sharegpt = z.array(z.strictObject({ ...conversation, ...extras }));

/** The same, of `dataset_info.json`. */
const datasetInfo = z.record(
  z.string(),
  z.strictObject({
    file_name: z.string(),
    formatting: z.literal('sharegpt'),
    columns: z.strictObject({ messages: z.literal('messages'), images: z.literal('images') }),
    tags: z.strictObject({
      role_tag: z.literal('role'),
      content_tag: z.literal('content'),
      user_tag: z.literal('user'),
      assistant_tag: z.literal('assistant'),
    }),
  }),
);

/** ms-swift docs/source_en/Customization/Custom-dataset.md: "Standard Dataset Format", "Multimodal"; it deletes further fields. */
const swift = z.strictObject({
  ...conversation,
  id: z.string(),
  task: z.literal('chartqa'),
  decision: z.enum(['selected', 'rejected']),
  reason: z.string(),
  self_check: z.string(),
  student_answer: z.string(),
  weight: z.number().nonnegative(),
  rationale: z.array(z.string()).optional(),
});

/**
 * LLaVA docs/Finetune_Custom_Data.md: `id`, `image`, `conversations`. 2U1/Qwen-VL-Series-Finetune README, "Dataset Preparation": the same, the
 * image's mark on a line of its own.
 */
const llava = z.array(
  z.strictObject({
    id: z.string().min(1),
    image: z.string().min(1),
    conversations: z.tuple([
      z.strictObject({ from: z.literal('human'), value: z.string().regex(/^<image>\n(?!.*<image>)./) }),
      z.strictObject({ from: z.literal('gpt'), value: z.string().min(1) }),
    ]),
    ...extras,
  }),
);

describe('mpa export of samples', () => {
  it('writes what LLaMA-Factory reads, and tells it of the file', async () => {
    const { folder, printed } = await exported('sharegpt', '--format', 'sharegpt');
    expect(printed).toMatchObject({ out: folder, format: 'sharegpt', selected: SELECTED, rejected: 0, leftOut: {} });
    const info = datasetInfo.parse(readJson(join(folder, 'dataset_info.json')));
    const rows = sharegpt.parse(readJson(join(folder, info['mpa']!.file_name)));
    expect(rows).toHaveLength(SELECTED);
    for (const { messages, images, rationale } of rows) {
      expect(messages.map(({ content }) => content)).toEqual(['<image>What is drawn?', 'a cat']);
      expect(isAbsolute(images[0]) && existsSync(images[0])).toBe(true);
      expect(rationale!.length).toBeGreaterThan(0);
    }
  });

  it.each(['llava', 'qwen'])('writes the conversations of %s', async (format) => {
    const { folder } = await exported(format, '--format', format);
    const rows = llava.parse(readJson(join(folder, 'samples.json')));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(SELECTED);
    for (const { image, conversations } of rows) {
      expect(conversations.map(({ value }) => value)).toEqual(['<image>\nWhat is drawn?', 'a cat']);
      expect(isAbsolute(image) && existsSync(image)).toBe(true);
    }
  });

  it('writes what ms-swift reads, with --all the rejected too, and with --copy-images their images', async () => {
    const { folder, printed } = await exported('jsonl', '--format', 'jsonl', '--all', '--copy-images');
    expect(printed).toMatchObject({ selected: SELECTED, rejected: REJECTED });
    const rows = readLines(join(folder, 'samples.jsonl')).map((row) => swift.parse(row));
    expect(rows.map(({ decision }) => decision).sort()).toEqual(['rejected', 'selected', 'selected', 'selected']);
    const rejected = rows.find(({ decision }) => decision === 'rejected')!;
    expect(rejected).toMatchObject({ reason: 'teacher_disagrees_with_itself', self_check: 'a cat', weight: 0 });
    expect(rejected.messages[1].content).toBe('a dog');
    expect(readdirSync(join(folder, 'images'))).toHaveLength(SELECTED + REJECTED);
    for (const { images } of rows) {
      const [, name] = /^images\/[0-9a-f]{12}-(good-\d\.png)$/.exec(images[0])!;
      expect(readFileSync(join(folder, images[0]))).toEqual(readFileSync(join(inputs.images, name!)));
    }
  });

  it('writes a Parquet table with the signals of both models', async () => {
    const { folder } = await exported('parquet', '--format', 'parquet', '--all');
    const file = await asyncBufferFromFile(join(folder, 'samples.parquet'));
    const rows = await parquetReadObjects({ file });
    expect(rows).toHaveLength(SELECTED + REJECTED);
    for (const row of rows) {
      expect(row).toMatchObject({ task: 'chartqa', question: 'What is drawn?', self_check: 'a cat' });
      expect(row['teacher_log_probability_per_character']).toBeLessThan(0);
      expect(row['student_log_probability_per_character']).toBeLessThan(0);
      expect(row['discrepancy_attention']).toBeGreaterThan(0);
      for (const model of ['teacher', 'student']) {
        const { grid, cells } = row[`${model}_attention`] as { grid: number; cells: number[] };
        expect(cells).toHaveLength(grid ** 2);
        expect((row[`${model}_rationale`] as unknown[]).length).toBeGreaterThan(0);
        const nBest = row[`${model}_n_best`] as { probability: number }[];
        // A sum of a few doubles near 1.
        expect(nBest.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9);
      }
    }
  });

  it('reads its own file again: what was selected begins another run, self-checks included', async () => {
    const { folder } = await exported('round', '--format', 'jsonl', '--copy-images');
    const again = join(work, 'again');
    const args = ['--format', 'jsonl', '--task', 'chartqa', '--image-root', folder, '--out', again, '--json'];
    const ended = await runMpa('import', join(folder, 'samples.jsonl'), ...args);
    expect(lastObject(ended)).toMatchObject({
      rows: SELECTED,
      questions: SELECTED,
      selfChecked: SELECTED,
      leftOut: {},
    });
  });

  it('leaves out with a reason what it cannot copy', async () => {
    const gone = readFileSync(join(inputs.images, 'good-0.png'));
    rmSync(join(inputs.images, 'good-0.png'));
    const { printed } = await exported('gone', '--format', 'llava', '--copy-images');
    writeFileSync(join(inputs.images, 'good-0.png'), gone);
    expect(printed).toMatchObject({ selected: SELECTED - 1, leftOut: { 'not-found': 1 } });
  });
});

describe('mpa export of a model', () => {
  it('writes the merged Hugging Face folder', async () => {
    const { folder, printed } = await exported('hf', '--format', 'hf');
    expect(printed['steps']).toBeGreaterThan(0);
    const checkpoint = join(run, 'checkpoints', 'student');
    const files = readdirSync(checkpoint).filter((name) => name !== 'adapter');
    expect(readdirSync(folder).sort()).toEqual(files.sort());
    for (const name of files) expect(readFileSync(join(folder, name))).toEqual(readFileSync(join(checkpoint, name)));
    (await openCheckpoint(folder)).close();
  });

  it("writes the LoRA adapter, which gives the merged weights on the student's", async () => {
    const { folder } = await exported('adapter', '--format', 'hf', '--adapter');
    const config = readJson(join(folder, 'adapter_config.json')) as { r: number; lora_alpha: number; target_modules: string[]; base_model_name_or_path: string }; // prettier-ignore
    expect(config.base_model_name_or_path).toBe(dirname(join(inputs.student, 'config.json')));
    const adapter = openSafetensors(join(folder, 'adapter_model.safetensors'));
    const [base, merged] = [openSafetensors(join(inputs.student, 'model.safetensors')), openSafetensors(join(run, 'checkpoints/student/model.safetensors'))]; // prettier-ignore
    expect(adapter.names).toHaveLength(2 * config.target_modules.length);
    for (const module of config.target_modules) {
      const name = `base_model.model.${module}`;
      const [a, b] = [adapter.read(`${name}.lora_A.weight`), adapter.read(`${name}.lora_B.weight`)];
      const [rank, width] = adapter.shape(`${name}.lora_A.weight`) as [number, number];
      expect(rank).toBe(config.r);
      const [before, after] = [base.read(`${module}.weight`), merged.read(`${module}.weight`)];
      let largest = 0;
      after.forEach((value, i) => {
        const [row, column] = [Math.floor(i / width), i % width];
        let update = 0;
        for (let k = 0; k < rank; k++) update += b[row * rank + k]! * a[k * width + column]!;
        largest = Math.max(largest, Math.abs(value - before[i]! - (config.lora_alpha / config.r) * update));
      });
      // Float32 sums of 16 products and of two weights below 4: some units in the last place of 4.
      expect(largest).toBeLessThan(4e-6);
    }
    for (const file of [adapter, base, merged]) file.close();
  });

  it('writes ONNX graphs that ONNX Runtime runs alone, by what the README says', async () => {
    const { folder } = await exported('onnx', '--format', 'onnx');
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const checkpoint = await openCheckpoint(join(run, 'checkpoints', 'student'));
    const { processor, generation } = checkpoint;
    const image = processor.image(await decodeImage(join(inputs.images, 'good-0.png')));
    const content = [{ type: 'image' }, { type: 'text', text: 'What is drawn?' }] as const;
    const ids = processor.prompt([{ role: 'user', content }], [image]);
    const ours = await loadModel(checkpoint, { cacheDir: join(work, 'graphs') });
    const [features] = await ours.encodeImage([image]);
    const [[answer] = []] = await ours.generate([{ ids, images: [features!] }], { maxNewTokens: 8 });
    await ours.close();
    checkpoint.close();

    const [vision, text] = await Promise.all(['vision', 'text'].map((name) => InferenceSession.create(join(folder, `${name}.onnx`)))); // prettier-ignore
    for (const { inputNames, outputNames } of [vision!, text!]) {
      for (const name of [...inputNames, ...outputNames]) expect(readme).toMatch(new RegExp(`\\| \`${name}\` \\| \\w+ \\| \\[.*\\] \\| \\w`)); // prettier-ignore
    }
    const { pixels, positionIds } = image.vision;
    const seen = await vision!.run({
      pixels: new Tensor('float32', pixels.data as Float32Array, pixels.shape),
      positionIds: new Tensor('int32', positionIds.data, positionIds.shape),
    });
    const [tiles, tokens, hidden] = seen['features']!.dims as [number, number, number];
    const int64 = (values: readonly number[], dims: readonly number[]): Tensor => new Tensor('int64', BigInt64Array.from(values, BigInt), dims); // prettier-ignore
    const none = new Tensor('int32', new Int32Array(0), [0]);
    const said = await text!.run({
      ids: new Tensor('int32', ids, [1, ids.length]),
      lengths: new Tensor('int32', Int32Array.of(ids.length), [1]),
      features: new Tensor('float32', seen['features']!.data as Float32Array, [tiles * tokens, hidden]),
      steps: int64([8], []),
      rows: new Tensor('int32', Int32Array.of(0), [1]),
      endIds: int64(generation.eosTokenIds, [generation.eosTokenIds.length]),
      temperature: new Tensor('float32', Float32Array.of(0), []),
      topP: new Tensor('float32', Float32Array.of(1), []),
      uniforms: new Tensor('float32', new Float32Array(8), [1, 8]),
      minimum: int64([0], []),
      ...{ targetRows: none, targets: none, attentionRows: none },
    });
    const all = [...(said['firstIds']!.data as Int32Array), ...(said['restIds']!.data as Int32Array)];
    expect(all.slice(0, answer!.ids.length)).toEqual([...answer!.ids]);
  });
});

describe('a wrong export', () => {
  const cases: Record<string, { args: () => string[]; names: RegExp; code: number }> = {
    'into a folder that is there': { args: () => [run, '--format', 'hf', '--out', inputs.images], names: /images is there already/, code: 1 },
    'of a folder that is no run': { args: () => [inputs.images, '--format', 'hf', '--out', join(work, 'x')], names: /not the folder of a run/, code: 1 },
    'of an unknown format': { args: () => [run, '--format', 'csv', '--out', join(work, 'x')], names: /csv.*parquet/, code: 2 },
    'of rejected samples as conversations': { args: () => [run, '--format', 'llava', '--all', '--out', join(work, 'x')], names: /llava.*jsonl or parquet/, code: 2 },
    'of an adapter as samples': { args: () => [run, '--format', 'jsonl', '--adapter', '--out', join(work, 'x')], names: /--adapter.*hf/, code: 2 },
  }; // prettier-ignore
  it.each(Object.entries(cases))('%s: one line that says so', async (_, { args, names, code }) => {
    const ended = await runMpa('export', ...args());
    expect(ended.stderr).toMatch(names);
    expect(ended.stderr).toMatch(/^mpa: [^\n]+\n$/);
    expect(ended.code).toBe(code);
    expect(existsSync(join(work, 'x'))).toBe(false);
  });

  it('of a model that is not trained yet', async () => {
    const file = join(work, 'one.json');
    writeFileSync(
      file,
      JSON.stringify([{ image_path: 'good-0.png', predicted_question: 'What', predicted_answer: 'it' }]),
    );
    const fresh = join(work, 'fresh');
    await runMpa(
      'import',
      file,
      '--format',
      'mpa-json',
      '--task',
      'okvqa',
      '--image-root',
      inputs.images,
      '--out',
      fresh,
    );
    const ended = await runMpa('export', fresh, '--format', 'hf', '--out', join(work, 'x'));
    expect(ended.stderr).toMatch(/not trained yet/);
    expect(ended.code).toBe(1);
  });
});
