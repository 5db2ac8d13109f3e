import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createClient, EvaluatorService, Task, type EvaluationSummary } from '@mpa/contracts';
import { evaluator } from '@mpa/evaluator';
import { createLogger, startInProcess } from '@mpa/service-kit';
import { afterAll, expect, it } from 'vitest';
import { drawImages } from './annotate-images.js';
import { digestOf, startChatServer, type SeenRequest } from './chat-server.js';

const work = mkdtempSync(join(tmpdir(), 'mpa-endpoint-evaluate-'));
afterAll(() => rmSync(work, { recursive: true }));

it('asks again what an endpoint failed at, in the next evaluation, and not what it refused', async () => {
  const files = await drawImages(join(work, 'images'), 4);
  const digests = files.map((file) => digestOf(`data:image/png;base64,${readFileSync(file).toString('base64')}`));
  const annotations = join(work, 'test_human.json');
  writeFileSync(annotations, JSON.stringify(files.map((file) => ({ imgname: basename(file), query: 'What is it?', label: 'a cat' })))); // prettier-ignore
  const bad = new Map([
    [digests[1], { status: 500, text: 'crash' }],
    [digests[2], { status: 413, text: 'too large' }],
  ]);
  const server = await startChatServer({ say: () => 'a cat', refuse: ({ image }: SeenRequest) => bad.get(image) });
  const endpoint = { traffic: { attempts: 2, pause: 0.02, longestPause: 0.2 } };
  const config = { model: { cacheDir: join(work, 'graphs') }, endpoint };
  const running = await startInProcess(evaluator, config, { logger: createLogger('test', 'silent') });
  const client = createClient(EvaluatorService, running.address);
  const evaluate = async (): Promise<EvaluationSummary> => {
    const models = [{ label: 'tiny', checkpoint: `${server.url}#tiny` }];
    const request = { models, task: Task.CHARTQA, annotations, imageRoot: join(work, 'images'), results: join(work, 'results.jsonl') }; // prettier-ignore
    for await (const { event } of client.evaluate(request)) if (event.case === 'summary') return event.value;
    throw new Error('there was no summary');
  };
  try {
    expect(await evaluate()).toMatchObject({ questions: 4, accuracy: 2 / 4 });
    bad.clear();
    const before = server.seen.length;
    expect(await evaluate()).toMatchObject({ questions: 4, accuracy: 3 / 4 });
    expect(server.seen.slice(before).filter(({ image }) => digests.includes(image))).toHaveLength(1);
    const failed = /"failed":"([^"]*)"/.exec(readFileSync(join(work, 'results.jsonl'), 'utf8'));
    expect(failed?.[1]).toMatch(/crash/);
  } finally {
    client.close();
    await running.stop();
    await server.close();
  }
});
