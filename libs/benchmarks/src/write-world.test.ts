import { mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBenchmark } from './load-benchmark.js';
import { drawSample } from './world/draw-sample.js';
import { tasks } from '@mpa/answer-metrics';
import { IMAGE_SIZE } from './world/drawn-sample.js';
import { WorldError } from './world/world-error.js';
import { writeWorld } from './write-world.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'world-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('writeWorld', () => {
  it.each(tasks)('writes a test split of %s that its loader reads back', async (task) => {
    const out = join(root, `${task}-test`);
    const world = await writeWorld({ task, split: 'test', count: 3, seed: 1, out });
    const { samples, missing } = await loadBenchmark(task, world.annotations ?? '', world.imageFolder);
    expect(missing).toEqual([]);
    const drawn = await Promise.all([0, 1, 2].map((i) => drawSample(task, 'test', 1_000_000 + i)));
    const asked = drawn.flatMap(({ questions }) => questions);
    expect(samples.map(({ question, answers }) => ({ question, answers }))).toEqual(
      asked.map(({ question, answers }) => ({ question, answers })),
    );
    expect(new Set(samples.map(({ id }) => id)).size).toBe(asked.length);
    expect(world.questions).toBe(asked.length);
  });

  it('writes PNG and JPEG images that open, and no answers for the train split', async () => {
    const out = join(root, 'train');
    const world = await writeWorld({ task: 'textvqa', split: 'train', count: 3, seed: 1, out, sheet: true });
    const names = await readdir(world.imageFolder);
    expect(names.sort()).toEqual([
      'textvqa_train_1000000.jpg',
      'textvqa_train_1000001.jpg',
      'textvqa_train_1000002.png',
    ]);
    for (const name of names) {
      const { width, height } = await loadImage(await readFile(join(world.imageFolder, name)));
      expect([width, height]).toEqual([IMAGE_SIZE, IMAGE_SIZE]);
    }
    expect(world.annotations).toBeUndefined();
    expect((await readdir(out)).sort()).toEqual(['images', 'sheet.png']);
  });

  it('keeps what is there and draws only what is missing, byte for byte the same', async () => {
    const options = { task: 'stvqa', split: 'test', count: 3, seed: 2, out: join(root, 'resumed') } as const;
    const first = await writeWorld(options);
    const names = (await readdir(first.imageFolder)).sort();
    const lost = join(first.imageFolder, names[1] ?? '');
    const kept = join(first.imageFolder, names[0] ?? '');
    const bytes = await readFile(lost);
    const { mtimeMs } = await stat(kept);
    const annotations = await readFile(first.annotations ?? '', 'utf8');
    await unlink(lost);
    const second = await writeWorld(options);
    expect([second.written, second.kept]).toEqual([1, 2]);
    expect(await readFile(lost)).toEqual(bytes);
    expect((await stat(kept)).mtimeMs).toBe(mtimeMs);
    expect(await readFile(second.annotations ?? '', 'utf8')).toBe(annotations);
  });

  it('stops when asked and goes on from there', async () => {
    const stop = new AbortController();
    const options = { task: 'okvqa', split: 'train', count: 4, seed: 1, out: join(root, 'stopped') } as const;
    const onProgress = (done: number): void => {
      if (done === 2) stop.abort(new Error('enough'));
    };
    await expect(writeWorld({ ...options, signal: stop.signal, onProgress })).rejects.toThrow('enough');
    expect(await writeWorld(options)).toMatchObject({ written: 2, kept: 2 });
  });

  it('refuses options out of range and folders that cannot be written', async () => {
    const options = { task: 'okvqa', split: 'train', count: 1, seed: 1, out: join(root, 'refused') } as const;
    await expect(writeWorld({ ...options, count: 0 })).rejects.toThrow(WorldError);
    await expect(writeWorld({ ...options, seed: 1.5 })).rejects.toThrow(WorldError);
    await expect(writeWorld({ ...options, task: 'vqav2' as 'okvqa' })).rejects.toThrow('textvqa');
    await writeFile(join(root, 'a-file'), '');
    await expect(writeWorld({ ...options, out: join(root, 'a-file') })).rejects.toThrow(WorldError);
  });
});
