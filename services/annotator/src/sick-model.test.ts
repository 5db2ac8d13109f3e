import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { create, createClient, ImageRecordSchema, ModelService, Task, WorkerService } from '@mpa/contracts';
import { OnnxModel } from '@mpa/onnx';
import { createLogger, startInProcess, topics, type RunningService } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { annotator } from './annotator.js';

const checkpoint = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-sick-annotator-'));
const streams = openEmbeddedStreams(join(work, 'streams'), { partitions: 1 });

/** What the device cannot do: images of more tokens than a square has, or anything. */
let fails: 'long' | 'always' = 'long';
beforeAll(() => {
  const encode = OnnxModel.prototype.encodeImage;
  let square: number | undefined;
  vi.spyOn(OnnxModel.prototype, 'encodeImage').mockImplementation(async function (this: OnnxModel, images) {
    square ??= images[0]!.tokens;
    if (fails === 'always') throw new Error('CUDA failure 719');
    if (images.some(({ tokens }) => tokens !== square)) throw new Error('out of memory');
    return encode.call(this, images);
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await streams.close();
  rmSync(work, { recursive: true });
});

async function start(): Promise<RunningService> {
  const model = { checkpoint, cacheDir: join(work, 'graphs'), maxNewTokens: 8, threads: 1 };
  const logger = createLogger('test', 'silent');
  const openStreams = () => ({ streams, release: () => Promise.resolve() });
  return startInProcess(annotator, { model, batch: 3, candidates: 1 }, { logger, openStreams });
}

async function draw(name: string, width: number): Promise<string> {
  const file = join(work, `${name}.png`);
  await sharp({ create: { width, height: 40, channels: 3, background: 'red' } }).toFile(file);
  return pathToFileURL(file).href;
}

/** Has images annotated, of these widths, until there are `wanted` annotations. */
async function annotate(running: RunningService, widths: Record<string, number>, wanted: number): Promise<void> {
  const images = Object.entries(widths).map(async ([sampleId, width]) =>
    create(ImageRecordSchema, {
      sampleId,
      runId: 'r',
      task: Task.TEXTVQA,
      image: { uri: await draw(sampleId, width) },
    }),
  );
  const records = (await Promise.all(images)).map((image) => topics.images.record(image.sampleId, image));
  await streams.producer.send(topics.images.name, records);
  const worker = createClient(WorkerService, running.address);
  try {
    for await (const report of worker.consume({ streams: work })) {
      void report;
      if ((await reasons()).size === wanted) break;
    }
  } finally {
    worker.close();
  }
}

/** Why samples were skipped, by id; those that the random weights said no question about count as annotated. */
async function reasons(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { message } of topics.annotations.read(streams)) {
    const reason = message.skipped?.reason ?? '';
    found.set(message.sampleId, reason === 'model-failed' ? reason : 'answered');
  }
  return found;
}

it('an image that the model fails at is skipped; with a model that fails at everything none is', async () => {
  const running = await start();
  try {
    await annotate(running, { a: 40, b: 400, c: 41, d: 42 }, 4);
    const failed = new Map([['a', 'answered'], ['b', 'model-failed'], ['c', 'answered'], ['d', 'answered']]); // prettier-ignore
    expect(await reasons()).toEqual(failed);

    fails = 'always';
    const gone = { code: 'FAILED_PRECONDITION', message: expect.stringMatching(/smolvlm-a does not work.*CUDA failure 719/) as string }; // prettier-ignore
    await expect(annotate(running, { e: 43, f: 44 }, 6)).rejects.toMatchObject(gone);
    fails = 'long';
    // Also once the device seems to be well.
    await expect(annotate(running, {}, 6)).rejects.toMatchObject(gone);
    const client = createClient(ModelService, running.address);
    const image = { source: { case: 'uri', value: await draw('a', 40) } } as const;
    await expect(client.answer({ image, questions: ['?'] })).rejects.toMatchObject(gone);
    client.close();
    expect(await reasons()).toEqual(failed);
  } finally {
    await running.stop();
  }

  const anew = await start();
  await annotate(anew, {}, 6).finally(() => anew.stop());
  expect([...(await reasons())].slice(-2).sort()).toEqual([['e', 'answered'], ['f', 'answered']]); // prettier-ignore
});

it('a model that cannot answer anything is not served', async () => {
  fails = 'always';
  await expect(start()).rejects.toThrow(/smolvlm-a does not work: it fails at a first small question \(CUDA failure 719\)/); // prettier-ignore
});
