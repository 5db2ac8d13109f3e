import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BenchmarkError } from './benchmark-error.js';
import { loadBenchmark } from './load-benchmark.js';
import type { Task } from '@mpa/answer-metrics';

const fixture = (name: string): string => new URL(`../fixtures/${name}`, import.meta.url).pathname;
const IMAGES = [
  '0a1b2c3d4e5f6071.jpg',
  'coco-text/COCO_train2014_000000000123.jpg',
  '31415926001234.png',
  'COCO_val2014_000000004242.jpg',
];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'benchmark-'));
  for (const image of IMAGES) {
    await mkdir(dirname(join(root, image)), { recursive: true });
    await writeFile(join(root, image), '');
  }
});
afterAll(() => rm(root, { recursive: true }));

describe('loadBenchmark', () => {
  it('reads TextVQA with its ten answers and reports images that are not there', async () => {
    const { samples, missing } = await loadBenchmark('textvqa', fixture('textvqa.json'), root);
    expect(samples).toHaveLength(1);
    expect(samples[0]).toMatchObject({
      id: '40001',
      imagePath: join(root, IMAGES[0] ?? ''),
      question: 'what is the name of the bakery?',
      metric: 'vqa_accuracy_textvqa',
    });
    expect(samples[0]?.answers).toHaveLength(10);
    expect(missing).toEqual([{ id: '40002', imagePath: join(root, 'ffee00112233aabb.jpg') }]);
  });

  it('reads ST-VQA with images in folders', async () => {
    const { samples } = await loadBenchmark('stvqa', fixture('stvqa.json'), root);
    expect(samples).toEqual([
      {
        id: '11',
        imagePath: join(root, IMAGES[1] ?? ''),
        question: 'Which street is on the sign?',
        answers: ['Mill Lane', 'Mill Ln'],
        metric: 'anls',
      },
    ]);
  });

  it('reads ChartQA and numbers its questions', async () => {
    const { samples } = await loadBenchmark('chartqa', fixture('chartqa.json'), root);
    expect(samples.map(({ id, answers, metric }) => ({ id, answers, metric }))).toEqual([
      { id: '0', answers: ['4'], metric: 'relaxed_accuracy' },
      { id: '1', answers: ['[2014, 2016]'], metric: 'relaxed_accuracy' },
    ]);
  });

  const okvqaFiles = ['mscoco_val2014_annotations.json', 'okvqa_val_combine.json', 'okvqa_train_unique_combine.json'];
  it.each(okvqaFiles)('reads OK-VQA from %s', async (name) => {
    const { samples, missing } = await loadBenchmark('okvqa', fixture(name), root);
    expect(missing).toEqual([]);
    expect(samples).toEqual([
      {
        id: '42425',
        imagePath: join(root, IMAGES[3] ?? ''),
        question: 'What are these bicycles made for?',
        answers: ['race', 'race', 'tour'],
        metric: 'vqa_accuracy_okvqa',
      },
    ]);
  });

  it('reads the two files of ChartQA together, each a subset', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chartqa-'));
    const row = { imgname: IMAGES[2], query: 'how many?', label: '4' };
    for (const subset of ['human', 'augmented']) await writeFile(join(folder, `test_${subset}.json`), JSON.stringify([row])); // prettier-ignore
    const { samples } = await loadBenchmark('chartqa', folder, root);
    expect(samples.map(({ id, subset }) => [id, subset])).toEqual([
      ['human-0', 'human'],
      ['augmented-0', 'augmented'],
    ]);
    await rm(join(folder, 'test_human.json'));
    await expect(loadBenchmark('chartqa', folder, root)).rejects.toThrow(/one \*_human.json/);
    await rm(folder, { recursive: true });
  });

  it('reads conversations, whose one answer must match', async () => {
    const { samples } = await loadBenchmark('textvqa', fixture('conversations.json'), root);
    const imagePath = join(root, IMAGES[0]!);
    expect(samples).toEqual([
      { id: '77', imagePath, question: 'what is the name of the bakery?', answers: ['crumb'], metric: 'exact_match' },
      { id: '77-1', imagePath, question: 'is it open?', answers: ['yes'], metric: 'exact_match' },
    ]);
  });

  it('reads test splits, whose answers are not published', async () => {
    const file = join(root, 'TextVQA_0.5.1_test.json');
    const row = { question_id: 7, image_id: '0a1b2c3d4e5f6071', question: 'what does it say?' };
    await writeFile(file, JSON.stringify({ data: [row] }));
    expect((await loadBenchmark('textvqa', file, root)).samples[0]?.answers).toEqual([]);
  });

  it('finds images in the folders of the download', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'layout-'));
    const layout: (readonly [Task, string, string])[] = [
      ['textvqa', 'textvqa.json', 'train_images/0a1b2c3d4e5f6071.jpg'],
      ['chartqa', 'chartqa.json', 'png/31415926001234.png'],
      ['okvqa', 'okvqa_val_combine.json', 'val2014/COCO_val2014_000000004242.jpg'],
    ];
    for (const [task, name, image] of layout) {
      await mkdir(dirname(join(elsewhere, image)), { recursive: true });
      await writeFile(join(elsewhere, image), '');
      const { samples } = await loadBenchmark(task, fixture(name), elsewhere);
      expect(samples[0]?.imagePath).toBe(join(elsewhere, image));
    }
    await rm(elsewhere, { recursive: true });
  });

  const failure = async (task: Task, content: string): Promise<BenchmarkError> => {
    const file = join(root, 'broken.json');
    await writeFile(file, content);
    const error: unknown = await loadBenchmark(task, file, root).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BenchmarkError);
    expect((error as BenchmarkError).message).toContain(file);
    return error as BenchmarkError;
  };

  it('names the file of broken JSON', async () => {
    expect((await failure('chartqa', '[{"imgname": ')).message).toContain('not valid JSON');
  });

  it('names the field that does not fit', async () => {
    const error = await failure('chartqa', '[{"imgname": "a.png", "query": "how many?", "label": null}]');
    expect(error.field).toBe('0.label');
  });

  it('names the first wrong field of another benchmark', async () => {
    expect((await failure('textvqa', '[]')).message).toContain('at the top');
    expect((await failure('textvqa', '{"data":[{"question_id":1}]}')).field).toBe('data.0.image_id');
  });

  it('refuses TextVQA rows without ten answers', async () => {
    const row = { question_id: 1, image_id: 'a', question: 'q?', answers: ['one'] };
    expect((await failure('textvqa', JSON.stringify({ data: [row] }))).field).toBe('data.0.answers');
  });

  it('refuses images outside the image folder', async () => {
    expect((await failure('chartqa', '[{"imgname": "../../a.png", "query": "q?", "label": "1"}]')).message).toContain(
      'not under',
    );
  });

  it('says which file is missing', async () => {
    const error: unknown = await loadBenchmark('okvqa', join(root, 'nowhere.json'), root).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(BenchmarkError);
  });
});
