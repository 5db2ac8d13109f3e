import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writeWorld } from '@mpa/benchmarks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demonstration } from './demonstration.js';
import type { EvaluationReport } from './evaluation/evaluation-report.js';
import { lastObject, runMpa, startMpa } from './run-mpa.fixture.js';

const work = mkdtempSync(join(tmpdir(), 'mpa-evaluate-'));
const IMAGES = 12;
const models = [`small=${demonstration.student}`, `large=${demonstration.teacher}`];

let textvqa: { annotations: string; images: string };
beforeAll(async () => {
  const drawn = await writeWorld({
    task: 'textvqa',
    split: 'test',
    count: IMAGES,
    seed: 3,
    out: join(work, 'textvqa'),
  });
  textvqa = { annotations: drawn.annotations!, images: drawn.imageFolder };
});
afterAll(() => rmSync(work, { recursive: true }));

function args(out: string, { annotations, images } = textvqa, benchmark = 'textvqa'): string[] {
  const files = ['--benchmark', benchmark, '--annotations', annotations, '--image-root', images];
  return ['evaluate', '--model', ...models, ...files, '--out', join(work, out)];
}

function linesOf(out: string): Record<string, unknown>[] {
  try {
    const text = readFileSync(join(work, out, 'results.jsonl'), 'utf8').trimEnd();
    return text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  } catch {
    return []; // not there yet, or a line is being written
  }
}

async function evaluated(...given: string[]): Promise<EvaluationReport> {
  const ended = await runMpa(...given, '--json');
  expect(ended).toMatchObject({ code: 0 });
  return lastObject(ended) as unknown as EvaluationReport;
}

describe('mpa evaluate', () => {
  it('goes on after a kill, with every answer given once, and is scored again without a model', async () => {
    const { child, ended } = startMpa([...args('killed'), '--batch', '2']);
    while (child.exitCode === null && linesOf('killed').length < 4) await pause(20);
    child.kill('SIGKILL');
    await ended;
    const before = linesOf('killed');
    const report = await evaluated(...args('killed'), '--batch', '2');
    const after = linesOf('killed');
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThan(after.length);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after).toHaveLength(2 * report.questions);
    expect(new Set(after.map(({ model, questionId }) => JSON.stringify([model, questionId]))).size).toBe(after.length);

    const { small, large } = report.models;
    expect(report).toMatchObject({ benchmark: 'textvqa', metric: 'vqa_accuracy_textvqa', missing: 0 });
    expect(large!.accuracy!.mean).toBeGreaterThan(small!.accuracy!.low);
    expect(large!.versusFirst!.n).toBe(report.questions);
    expect(large!.prompt).toMatch(/^<\|im_start\|>User:<image>.+<end_of_utterance>\nAssistant:$/s);

    const compared = lastObject(await runMpa('compare', join(work, 'killed', 'results.jsonl'), '--json'));
    const own = Object.entries(report.models).map(([name, { accuracy, n, versusFirst }]) => ({ name, accuracy, n, ...(versusFirst && { versusFirst }) })); // prettier-ignore
    expect(compared['models']).toEqual(own);
    const copies = ['a', 'b'].map((run) => join(work, run, 'records', 'results.jsonl'));
    for (const copy of copies) {
      mkdirSync(dirname(copy), { recursive: true });
      copyFileSync(join(work, 'killed', 'results.jsonl'), copy);
    }
    const twice = lastObject(await runMpa('compare', ...copies, '--json'))['models'] as { name: string }[];
    expect(new Set(twice.map(({ name }) => name)).size).toBe(4);
    const other = await runMpa('compare', join(work, 'killed', 'results.jsonl'), '--metric', 'exact_match');
    expect(other.stdout).toMatch(/McNemar p\nsmall .+\nlarge .+\n$/);

    const sent = JSON.parse(readFileSync(large!.submission!, 'utf8')) as { question_id: number; answer: string }[];
    const said = after.filter(({ model }) => model === 'large');
    expect(sent.map((one) => [one.question_id, one.answer]).sort()).toEqual(said.map((one) => [Number(one['questionId']), one['prediction']]).sort()); // prettier-ignore
  }, 120_000);

  it('names and counts missing images, and scores none of their questions', async () => {
    const annotations = join(work, 'some-gone.json');
    const whole = JSON.parse(readFileSync(textvqa.annotations, 'utf8')) as { data: { question_id: number }[] };
    const gone = { question_id: 99, image_id: 'nowhere', question: 'what?', answers: Array(10).fill('x') as string[] };
    writeFileSync(annotations, JSON.stringify({ ...whole, data: [gone, ...whole.data.slice(0, 2)] }));
    const files = ['--annotations', annotations];
    const ended = await runMpa(...args('gone'), ...files, '--json');
    expect(ended.stderr).toMatch(/question 99: there is no .*nowhere\.jpg/);
    expect(lastObject(ended)).toMatchObject({ questions: 2, missing: 1, models: { small: { n: 2 } } });
    expect(linesOf('gone').filter(({ skipped }) => skipped)).toMatchObject([{ skipped: { questionId: '99' } }]);
  });

  it('predicts a test split without answers, for its server', async () => {
    const annotations = join(work, 'TextVQA_0.5.1_test.json');
    const whole = JSON.parse(readFileSync(textvqa.annotations, 'utf8')) as { data: { answers?: unknown }[] };
    const data = whole.data.slice(0, 3).map(({ answers, ...row }) => (answers ? row : row));
    writeFileSync(annotations, JSON.stringify({ ...whole, data }));
    const report = await evaluated(...args('unlabelled'), '--annotations', annotations);
    expect(report).toMatchObject({ questions: 3, withoutAnswers: 3, metric: '' });
    expect(report.models['small']).not.toHaveProperty('accuracy');
    expect(JSON.parse(readFileSync(report.models['small']!.submission!, 'utf8'))).toHaveLength(3);
    const nothing = await runMpa('compare', join(work, 'unlabelled', 'results.jsonl'));
    expect(nothing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^mpa: none of the results has an answer/) as string,
    });
  });

  it('tells the subsets of ChartQA apart', async () => {
    const drawn = await writeWorld({ task: 'chartqa', split: 'test', count: 2, seed: 3, out: join(work, 'chartqa') });
    const folder = join(work, 'split');
    mkdirSync(folder);
    for (const subset of ['human', 'augmented']) copyFileSync(drawn.annotations!, join(folder, `test_${subset}.json`));
    const report = await evaluated(...args('subsets', { annotations: folder, images: drawn.imageFolder }, 'chartqa'));
    const { subsets, n } = report.models['large']!;
    expect(Object.keys(subsets!)).toEqual(['human', 'augmented']);
    expect(subsets!['human']!.n + subsets!['augmented']!.n).toBe(n);
    expect(report.models['large']).not.toHaveProperty('submission');
  });

  it('says in one line what is wrong', async () => {
    const elsewhere = await runMpa(...args('none', { ...textvqa, images: work }));
    expect(elsewhere.stderr).toMatch(/^mpa: none of the images of [^\n]*--image-root\n$/);
    expect(elsewhere.code).toBe(1);
    const twice = await runMpa(...args('none'), '--model', demonstration.student, demonstration.student);
    expect(twice).toMatchObject({ code: 2, stderr: expect.stringMatching(/two are called starter-small/) as string });
    const nothing = await runMpa('compare', join(work, 'never.jsonl'));
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringMatching(/^mpa: there is no [^\n]*\n$/) as string });
  });
});

describe('mpa score', () => {
  it('scores a line at a time, and a bad line costs no other', async () => {
    const cases = readFileSync(fileURLToPath(new URL('../../../test/fixtures/metrics/anls.jsonl', import.meta.url)), 'utf8'); // prettier-ignore
    const expected = cases.trimEnd().split('\n').map((line) => (JSON.parse(line) as { score: number }).score); // prettier-ignore
    const { child, ended } = startMpa(['score', '--metric', 'anls'], { stdin: 'pipe' });
    child.stdin!.end(`${cases}{"prediction":\n{"prediction": "a", "answers": 5}\n`);
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    const scored = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { score: number | null; error?: string }); // prettier-ignore
    expect(scored).toHaveLength(expected.length + 2);
    expected.forEach((score, i) => expect(scored[i]!.score).toBeCloseTo(score, 9));
    expect(scored.slice(-2)).toMatchObject([{ score: null }, { score: null }]);
    expect(scored.at(-1)!.error).toMatch(/answers must be a list/);
    const mean = expected.reduce((a, b) => a + b, 0) / expected.length;
    expect(stderr).toMatch(
      new RegExp(`2 of ${expected.length + 2} lines[^]*anls: mean ${mean.toFixed(6)}, 95 % interval`),
    );
  });
});

describe('mpa efficiency', () => {
  it('measures models in turn, and how much of the speed is kept', async () => {
    const given = ['efficiency', '--model', ...models, '--images', textvqa.images, '--rounds', '2'];
    const found = lastObject(await runMpa(...given, '--json')) as {
      models: Record<string, { parameters: number; peakMemory: number; flopsPerAnswer: { vision: number }; speed: Record<1 | 8, { p50: number; p95: number }> }>; // prettier-ignore
      retained: Record<string, Record<1 | 8, number>>;
    };
    const { small, large } = found.models;
    expect([small!.parameters, large!.parameters]).toEqual([644_880, 2_723_680]);
    expect(large!.flopsPerAnswer.vision).toBeGreaterThan(2 * small!.flopsPerAnswer.vision);
    for (const { peakMemory, parameters, speed } of Object.values(found.models)) {
      expect(peakMemory).toBeGreaterThan(4 * parameters);
      for (const size of [1, 8] as const) expect(speed[size].p95).toBeGreaterThanOrEqual(speed[size].p50);
    }
    expect(Object.keys(found.retained)).toEqual(['large']);
    expect(found.retained['large']![8]).toBeGreaterThan(0);
  });
});

describe('mpa split', () => {
  it('writes two parts that share no image, and lists of images that align takes', async () => {
    const given = [
      'split',
      '--annotations',
      textvqa.annotations,
      '--benchmark',
      'textvqa',
      '--image-root',
      textvqa.images,
    ];
    const { code, stdout } = await runMpa(...given, '--out', join(work, 'parts'), '--share', '0.25');
    expect(code).toBe(0);
    expect(stdout).toMatch(/: 9 images in train, 3 in test\n/);
    const [train, test] = ['train', 'test'].map((part) =>
      readFileSync(join(work, 'parts', part, 'images.txt'), 'utf8')
        .trimEnd()
        .split('\n'),
    );
    expect(new Set([...train!, ...test!]).size).toBe(IMAGES);
    expect(test).toHaveLength(3);
  });
});
