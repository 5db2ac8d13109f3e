import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { annotator } from '@mpa/annotator';
import {
  AnnotationStatus,
  AnnotatorService,
  createClient,
  EvaluatorService,
  ModelService,
  ParityService,
  Task,
  TrainerService,
  WorkerService,
  type Client,
  type DescService,
} from '@mpa/contracts';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { createLogger, startService, type Service } from '@mpa/service-kit';
import { trainer } from '@mpa/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';

const fixture = fileURLToPath(new URL('../fixtures/vlm/smolvlm-a', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-reach-'));
const at = (...path: string[]): string => join(work, ...path);
const closing: (() => unknown)[] = [];
const places = { read: [at('models'), at('data')], write: [at('runs')] };
const model = { checkpoint: at('models', 'small'), cacheDir: at('graphs'), threads: 1, maxNewTokens: 4 };
const DENIED = { code: 'PERMISSION_DENIED' };

/** What a caller may try: files of the system, the cloud's metadata, a link that leads out, another bucket. */
const IMAGES = [
  'file:///etc/passwd',
  '/etc/passwd',
  at('data', 'link.png'),
  at('data', '..', 'secret', 'image.png'),
  'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
  'http://127.0.0.1:22/x.png',
  's3://somebody/image.png',
  `${pathToFileURL(at('secret', 'image.png')).href}#bytes=0-9`,
];

async function serve<S extends z.ZodObject>(service: Service<S>, config: z.input<S>): Promise<string> {
  const raw = { ...config, places } as Parameters<typeof startService<S>>[1];
  const running = await startService(service, raw, { logger: createLogger('test', 'silent') });
  closing.push(() => running.stop());
  return running.address;
}

function clientOf<S extends DescService>(service: S, address: string): Client<S> {
  const client = createClient(service, address);
  closing.push(() => client.close());
  return client;
}

/** The messages of a stream that ends. */
async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const messages: T[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

beforeAll(() => {
  for (const folder of ['models', 'data', 'runs', 'secret']) mkdirSync(at(folder));
  cpSync(fixture, at('models', 'small'), { recursive: true });
  const [image] = readdirSync(join(fixture, 'images'));
  for (const folder of ['data', 'secret']) cpSync(join(fixture, 'images', image!), at(folder, 'image.png'));
  symlinkSync(at('secret', 'image.png'), at('data', 'link.png'));
  symlinkSync(at('secret'), at('runs', 'out'));
  const row = { imgname: 'image.png', query: 'What?', label: 'x' };
  writeFileSync(at('data', 'test_human.json'), JSON.stringify([row]));
  writeFileSync(at('data', 'outside.json'), JSON.stringify([{ ...row, imgname: 'link.png' }]));
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  rmSync(work, { recursive: true });
});

describe('the annotator', () => {
  it('reads no image, and opens no log, outside of its places', async () => {
    const address = await serve(annotator, { model });
    const [own, models] = [clientOf(AnnotatorService, address), clientOf(ModelService, address)];
    for (const value of IMAGES) {
      const image = { source: { case: 'uri' as const, value } };
      const { annotation } = await own.annotate({ image, task: Task.OKVQA });
      expect(annotation, value).toMatchObject({ status: AnnotationStatus.SKIPPED, skipped: { reason: 'not-allowed' } });
      await expect(models.answer({ image, questions: ['What?'] }), value).rejects.toMatchObject(DENIED);
    }
    const inside = { source: { case: 'uri' as const, value: at('data', 'image.png') } };
    expect((await models.answer({ image: inside, questions: ['What?'] })).answers).toHaveLength(1);
    const worker = clientOf(WorkerService, address);
    await expect(all(worker.consume({ streams: at('secret') }))).rejects.toMatchObject(DENIED);
  });
});

describe('the parity service', () => {
  it('reads no image, and opens no log, outside of its places', async () => {
    const address = await serve(parity, { model });
    const [own, models] = [clientOf(ParityService, address), clientOf(ModelService, address)];
    for (const value of IMAGES) {
      const image = { source: { case: 'uri' as const, value } };
      const annotation = { status: AnnotationStatus.ANNOTATED, task: Task.OKVQA, question: '?', answer: 'x' };
      await expect(own.decide({ annotation, image }), value).rejects.toMatchObject(DENIED);
      await expect(own.decide({ annotation: { ...annotation, image: { uri: value } } }), value).rejects.toMatchObject(
        DENIED,
      );
      await expect(models.score({ image, question: '?', answers: ['x'] }), value).rejects.toMatchObject(DENIED);
    }
    const worker = clientOf(WorkerService, address);
    await expect(all(worker.consume({ streams: 'kafka://evil.example:9092/run' }))).rejects.toMatchObject(DENIED);
  });
});

describe('the trainer', () => {
  it('reads and writes nothing outside of its places', async () => {
    const client = clientOf(TrainerService, await serve(trainer, { backend: 'wasm' }));
    const request = {
      runId: 'r',
      streams: at('runs', 'r', 'streams'),
      checkpoint: at('models', 'small'),
      output: at('runs', 'r', 'levelled'),
      state: at('runs', 'r', 'state'),
    };
    for (const wrong of [
      { checkpoint: at('secret') },
      { output: at('models', 'small-2') },
      { output: at('runs', 'out', 'levelled') },
      { state: '/root/.ssh' },
      { streams: at('data') },
    ]) {
      await expect(all(client.train({ ...request, ...wrong })), JSON.stringify(wrong)).rejects.toMatchObject(DENIED);
    }
    expect(await all(client.train(request))).toMatchObject([{ event: { case: 'result' } }]);
  });
});

describe('the evaluator', () => {
  it('reads, writes and asks nothing outside of its places', async () => {
    const settings = { model: { cacheDir: at('graphs'), threads: 1, maxNewTokens: 4 } };
    const client = clientOf(EvaluatorService, await serve(evaluator, settings));
    const models = [{ label: 'small', checkpoint: at('models', 'small') }];
    const request = { models, task: Task.CHARTQA, annotations: at('data', 'test_human.json'), imageRoot: at('data') };
    for (const wrong of [
      { annotations: '/etc/passwd' },
      { imageRoot: at('secret') },
      { results: at('data', 'results.jsonl') },
      { models: [{ label: 'x', checkpoint: at('secret') }] },
      { models: [{ label: 'x', checkpoint: 'http://169.254.169.254/latest#x' }] },
    ]) {
      await expect(all(client.evaluate({ ...request, ...wrong })), JSON.stringify(wrong)).rejects.toMatchObject(DENIED);
    }
    const results = at('runs', 'results.jsonl');
    expect(await all(client.evaluate({ ...request, results }))).toMatchObject([
      { event: { case: 'result' } },
      { event: { case: 'summary', value: { questions: 1 } } },
    ]);
    expect(await all(client.evaluate({ ...request, annotations: at('data', 'outside.json') }))).toMatchObject([
      { event: { case: 'summary', value: { questions: 0, missingImages: 1 } } },
    ]);
  });
});
