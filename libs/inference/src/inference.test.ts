import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createClient, ModelService } from '@mpa/contracts';
import type { Client } from '@mpa/contracts';
import { createLogger, startInProcess } from '@mpa/service-kit';
import { ImageStore } from '@mpa/storage';
import type { RunningService, Service } from '@mpa/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { modelConfig } from './model-config.js';
import { modelService } from './model-service.js';
import { readImage } from './read-image.js';
import { VisionModel } from './vision-model.js';

const fixtures = fileURLToPath(new URL('../../../test/fixtures/vlm/', import.meta.url));
const folder = `${fixtures}smolvlm-a/`;
const cacheDir = mkdtempSync(join(tmpdir(), 'mpa-inference-'));

interface Sample {
  messages: { content: { text?: string }[] }[];
  images: string[];
  answer: string;
  answer_logprob_sum: number;
}

/** The first question of a reference folder, with the log-probability that transformers gives its answer. */
function firstSample(dir: string): Sample & { readonly question: string; readonly imageFile: string } {
  const { cases } = JSON.parse(readFileSync(`${dir}reference.json`, 'utf8')) as { cases: { samples: Sample[] }[] };
  const sample = cases[0]!.samples[0]!;
  const question = sample.messages[0]!.content.find(({ text }) => text !== undefined)!.text!;
  return { ...sample, question, imageFile: `${dir}${sample.images[0]!}` };
}
const { question, imageFile, answer, answer_logprob_sum } = firstSample(folder);

const openModel = (checkpoint: string): Promise<VisionModel> =>
  VisionModel.open(
    modelConfig.parse({ checkpoint, cacheDir, precision: 'float32', maxNewTokens: 8, executionProviders: ['cpu'] }),
  );

let model: VisionModel;
beforeAll(async () => {
  model = await openModel(folder);
});
afterAll(async () => {
  await model.close();
  rmSync(cacheDir, { recursive: true });
});

describe.each(['smolvlm-a', 'internvl-a', 'llava-a', 'qwen2_vl-a', 'qwen2_5_vl-a'])('VisionModel of %s', (name) => {
  it('scores an answer as transformers does, and says where on the image it looked', async () => {
    const sample = firstSample(`${fixtures}${name}/`);
    const opened = await openModel(`${fixtures}${name}`);
    const [image] = await opened.look([opened.prepare(await readImage(sample.imageFile))]);
    const [examined] = await opened.examine([{ image: image!, text: sample.question, answer: sample.answer, grid: 4 }]);
    await opened.close();
    // float32 sums over some tokens in another order
    expect(examined!.logProbability).toBeCloseTo(sample.answer_logprob_sum, 3);
    expect(examined!.attention).toHaveLength(16);
    expect(examined!.attention!.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });
});

describe('VisionModel', () => {
  it('answers alike alone and in a batch, and scores what it answered', async () => {
    const [image] = await model.look([model.prepare(await readImage(imageFile))]);
    const questions = [question, 'And what else can be seen in this picture?'].map((text) => ({ image: image!, text }));
    const together = await model.answer(questions);
    const alone = await model.answer(questions.slice(1));
    expect(together[1]!.text).toBe(alone[0]!.text);
    expect(together[1]!.logProbability).toBeCloseTo(alone[0]!.logProbability, 4);
  });

  it('draws the same answers for the same seed', async () => {
    const [image] = await model.look([model.prepare(await readImage(imageFile))]);
    const draw = (seed: number) =>
      model.sample([{ image: image!, text: question }], { answers: 3, temperature: 1, seed });
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(first[0]).toHaveLength(3);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('draws other answers to the same question for another image, whatever else is asked with it', async () => {
    const shown = await readImage(imageFile);
    const flipped = { ...shown, data: shown.data.slice().reverse() };
    const [one, other] = await model.look([shown, flipped].map((image) => model.prepare(image)));
    // Nothing but the draws differs: a temperature at which every token is as likely as any other.
    const sampling = { answers: 2, temperature: 1e6, seed: 1 };
    const asked = [one!, other!].map((image) => ({ image, text: question }));
    const together = await model.sample(asked, sampling);
    expect(together[1]!.map(({ text }) => text)).not.toEqual(together[0]!.map(({ text }) => text));
    const [alone] = await model.sample(asked.slice(1), sampling);
    expect(alone!.map(({ text }) => text)).toEqual(together[1]!.map(({ text }) => text));
  });

  it('runs work in turn, also after work that failed', async () => {
    const order: string[] = [];
    const failing = model.inTurn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('first');
      throw new Error('failed');
    });
    const second = model.inTurn(async () => order.push('second'));
    await expect(failing).rejects.toThrow('failed');
    await second;
    expect(order).toEqual(['first', 'second']);
  });
});

describe('ModelService', () => {
  const config = z.strictObject({});
  const service: Service<typeof config> = {
    name: 'model',
    config,
    start: async (_, { implementOptions }) => ({
      implementations: [modelService(model, new ImageStore(), implementOptions)],
      close: () => Promise.resolve(),
    }),
  };
  let running: RunningService;
  let client: Client<typeof ModelService>;
  beforeAll(async () => {
    running = await startInProcess(service, {}, { logger: createLogger('test', 'silent') });
    client = createClient(ModelService, running.address);
  });
  afterAll(async () => {
    client.close();
    await running.stop();
  });

  const byUri = { source: { case: 'uri', value: pathToFileURL(imageFile).href } } as const;
  const byData = { source: { case: 'data', value: readFileSync(imageFile) } } as const;

  it('answers and scores, by the bytes of an image or by where it lies', async () => {
    const [a, b] = [
      await client.answer({ image: byUri, questions: [question] }),
      await client.answer({ image: byData, questions: [question] }),
    ];
    expect(a.answers).toHaveLength(1);
    expect(a).toEqual(b);
    const { logProbabilities } = await client.score({ image: byData, question, answers: [answer, 'no'] });
    expect(logProbabilities[0]).toBeCloseTo(answer_logprob_sum, 3);
    expect(logProbabilities).toHaveLength(2);
  });

  it.each([
    [{ questions: ['?'] }, 'INVALID_ARGUMENT', 'no image'],
    [{ image: byUri }, 'INVALID_ARGUMENT', 'no questions'],
    [{ image: { source: { case: 'uri', value: '/none.png' } }, questions: ['?'] }, 'NOT_FOUND', '/none.png'],
    [
      { image: { source: { case: 'data', value: Buffer.from('text') } }, questions: ['?'] },
      'INVALID_ARGUMENT',
      'is no JPEG',
    ],
    [{ image: byUri, questions: ['long '.repeat(5000)] }, 'INVALID_ARGUMENT', ''],
  ] as const)('refuses a wrong request (%#)', async (request, code, message) => {
    await expect(client.answer(request as never)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});
