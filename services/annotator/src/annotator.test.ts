import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { matches } from '@mpa/answer-metrics';
import {
  AnnotationStatus,
  AnnotatorService,
  create,
  createClient,
  ImageRecordSchema,
  ModelService,
  Task,
  WorkerService,
} from '@mpa/contracts';
import type { Annotation } from '@mpa/contracts';
import { createLogger, startInProcess, topics } from '@mpa/service-kit';
import type { RunningService } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';
import type { Streams } from '@mpa/streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotator } from './annotator.js';

const checkpoint = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-annotator-'));
const imageFiles = readdirSync(join(checkpoint, 'images')).map((name) => join(checkpoint, 'images', name));

let running: RunningService;
let streams: Streams;
beforeAll(async () => {
  streams = openEmbeddedStreams(join(work, 'streams'), { partitions: 2 });
  // A model of random weights writes noise: of many draws some hold a question mark between letters.
  const model = { checkpoint, cacheDir: join(work, 'graphs'), maxNewTokens: 24, threads: 1 };
  running = await startInProcess(
    annotator,
    {
      ...{ model, batch: 3, candidates: 257, seed: 7 },
      signals: {
        attention: { grid: 5 },
        nBest: { answers: 6 },
        rationale: { prompt: 'Why? {question}', stepBreak: '\\s+' },
      },
    },
    {
      logger: createLogger('test', 'silent'),
      openStreams: () => ({ streams, release: () => Promise.resolve() }),
    },
  );
});
afterAll(async () => {
  await running.stop();
  await streams.close();
  rmSync(work, { recursive: true });
});

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

async function annotations(): Promise<Annotation[]> {
  const all: Annotation[] = [];
  for await (const record of streams.readAll(topics.annotations.name)) all.push(topics.annotations.decode(record));
  return all;
}

describe('AnnotatorService', () => {
  it('writes a question and an answer, answers it afresh, and scores it', async () => {
    const client = createClient(AnnotatorService, running.address);
    try {
      const image = { source: { case: 'data', value: readFileSync(imageFiles.at(-1)!) } } as const;
      const { annotation } = await client.annotate({ image, task: Task.CHARTQA, sampleId: 's' });
      expect(annotation).toMatchObject({ sampleId: 's', task: Task.CHARTQA, status: AnnotationStatus.ANNOTATED });
      expect(annotation!.question).toMatch(/\?$/);
      expect(annotation!.answer).not.toBe('');
      expect(annotation!.answerLogProbability).toBeLessThan(0);
      const { answerLogProbabilityPerCharacter, attention, nBest, rationale } = annotation!.signals!;
      const characters = [...annotation!.answer].length;
      expect(answerLogProbabilityPerCharacter).toBeCloseTo(annotation!.answerLogProbability! / characters, 10);
      expect(attention).toMatchObject({ grid: 5 });
      expect(attention!.cells).toHaveLength(25);
      expect(sum(attention!.cells)).toBeCloseTo(1, 5); // 25 float32 numbers
      expect(nBest.length).toBeGreaterThan(1);
      expect(sum(nBest.map(({ probability }) => probability))).toBeCloseTo(1, 10);
      expect(nBest.map(({ logProbability }) => -logProbability)).toEqual(
        nBest.map(({ logProbability }) => -logProbability).sort((a, b) => a - b),
      );
      const all = nBest.map(({ text }) => text);
      all.forEach((one, i) => all.slice(0, i).forEach((other) => expect(matches('chartqa', one, other)).toBe(false)));
      // The rationale's steps are one text, whose probability is shared out among them.
      const model = createClient(ModelService, running.address);
      const question = `Why? ${annotation!.question}`;
      const { logProbabilities } = await model.score({ image, question, answers: [rationale.map(({ text }) => text).join('')] }); // prettier-ignore
      model.close();
      // Some 20 float32 log-probabilities of about -5, from batches of other shapes.
      expect(sum(rationale.map(({ logProbability }) => logProbability))).toBeCloseTo(logProbabilities[0]!, 3);
      const { modelSeconds, signalSeconds } = annotation!.cost!;
      expect(Object.keys(signalSeconds).sort()).toEqual(['n_best', 'rationale', 'score']);
      expect(sum(Object.values(signalSeconds))).toBeLessThan(modelSeconds);
      expect(annotation!.candidates!.written).toBeGreaterThan(0);
      expect(annotation!.promptId).toMatch(/^chartqa\/\d/);

      const broken = { source: { case: 'data', value: Buffer.from('no image') } } as const;
      const skipped = await client.annotate({ image: broken, task: Task.CHARTQA });
      expect(skipped.annotation).toMatchObject({
        status: AnnotationStatus.SKIPPED,
        skipped: { reason: 'not-an-image' },
      });
      await expect(client.annotate({ image })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    } finally {
      client.close();
    }
  });
});

describe('WorkerService', () => {
  it('makes one record of every image, also of those that cannot be used', async () => {
    const text = join(work, 'text.png');
    writeFileSync(text, 'not an image');
    const uris = [...imageFiles, text, join(work, 'gone.png')].map((file) => pathToFileURL(file).href);
    const images = uris.map((uri, i) =>
      create(ImageRecordSchema, { sampleId: `s${i}`, runId: 'r', task: Task.TEXTVQA, image: { uri } }),
    );
    images.push(create(ImageRecordSchema, { sampleId: 'empty', task: Task.TEXTVQA, unusable: { reason: 'empty' } }));
    await streams.producer.send(
      topics.images.name,
      images.map((image) => topics.images.record(image.sampleId, image, { headers: { 'mpa-run-id': 'r' } })),
    );
    const worker = createClient(WorkerService, running.address);
    const outcomes: Record<string, number> = {};
    let seconds = 0;
    for await (const report of worker.consume({ streams: work })) {
      for (const [name, count] of Object.entries(report.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
      seconds += report.modelSeconds;
      if (Object.values(outcomes).reduce((a, b) => a + b, 0) >= images.length) break;
    }
    worker.close();
    await expect.poll(async () => (await annotations()).length, { timeout: 5_000 }).toBe(images.length);

    const made = await annotations();
    expect(made.map(({ sampleId }) => sampleId).sort()).toEqual(images.map(({ sampleId }) => sampleId).sort());
    const reasons = new Map(made.map(({ sampleId, skipped }) => [sampleId, skipped?.reason]));
    expect([reasons.get('empty'), reasons.get('s5'), reasons.get('s6')]).toEqual([
      'empty',
      'not-an-image',
      'not-found',
    ]);
    expect(outcomes).toMatchObject({ 'not-an-image': 1, 'not-found': 1, empty: 1 });
    const annotated = made.filter(({ status }) => status === AnnotationStatus.ANNOTATED);
    expect(annotated.length).toBeGreaterThan(0);
    expect(annotated.length).toBe(outcomes['annotated']);
    expect(seconds).toBeGreaterThan(0);
  });
});
