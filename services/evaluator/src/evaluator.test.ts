import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, EvaluatorService, Task } from '@mpa/contracts';
import type { EvaluationResult, EvaluationSummary, MessageInitShape } from '@mpa/contracts';
import type { EvaluateRequestSchema } from '@mpa/contracts';
import { createLogger, startInProcess } from '@mpa/service-kit';
import type { RunningService } from '@mpa/service-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { evaluator } from './evaluator.js';

const checkpoint = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-evaluator-'));
const annotations = join(work, 'test_human.json');
const images = ['case0_0_0.png', 'case1_0_0.png', 'case2_0_0.png'];

let running: RunningService;
beforeAll(async () => {
  mkdirSync(join(work, 'png'));
  for (const name of images) copyFileSync(join(checkpoint, 'images', name), join(work, 'png', name));
  writeFileSync(join(work, 'png/broken.png'), 'not an image');
  const entries = [...images, 'gone.png', 'broken.png'].map((imgname) => ({ imgname, query: 'How many?', label: '3' }));
  writeFileSync(annotations, JSON.stringify(entries));
  const model = { cacheDir: join(work, 'graphs'), maxNewTokens: 6, threads: 1 };
  running = await startInProcess(evaluator, { model }, { logger: createLogger('test', 'silent') });
});
afterAll(async () => {
  await running.stop();
  rmSync(work, { recursive: true });
});

type Request = MessageInitShape<typeof EvaluateRequestSchema>;
const both = [
  { label: 'before', checkpoint },
  { label: 'after', checkpoint },
];

async function evaluated(request: Request): Promise<{ results: EvaluationResult[]; summaries: EvaluationSummary[] }> {
  const client = createClient(EvaluatorService, running.address);
  const [results, summaries]: [EvaluationResult[], EvaluationSummary[]] = [[], []];
  try {
    for await (const { event } of client.evaluate(request)) {
      if (event.case === 'result') results.push(event.value);
      if (event.case === 'summary') summaries.push(event.value);
    }
    return { results, summaries };
  } finally {
    client.close();
  }
}

const request = { models: both, task: Task.CHARTQA, annotations, imageRoot: join(work, 'png') };

it('scores every model on every question, in turn, and names what is missing', async () => {
  const { results, summaries } = await evaluated(request);
  expect(results.map(({ model }) => model)).toEqual(['before', 'after', 'after', 'before', 'before', 'after']);
  expect(new Set(results.map(({ metric }) => metric))).toEqual(new Set(['relaxed_accuracy']));
  expect(summaries.map(({ model }) => model)).toEqual(['before', 'after']);
  for (const summary of summaries) {
    expect(summary).toMatchObject({ questions: 3, missingImages: 2, task: Task.CHARTQA, metric: 'relaxed_accuracy' });
    expect(summary.answersPerSecond).toBeGreaterThan(0);
    expect(summary.latencyP95Milliseconds).toBeGreaterThanOrEqual(summary.latencyP50Milliseconds);
  }
  // The same checkpoint under two labels.
  const said = (label: string) =>
    results.filter(({ model }) => model === label).map((r) => [r.questionId, r.prediction]);
  expect(new Map(said('after') as [string, string][])).toEqual(new Map(said('before') as [string, string][]));
});

it('keeps the results, and gives no answer twice', async () => {
  const file = join(work, 'results/chartqa.jsonl');
  const first = await evaluated({ ...request, results: file, limit: 2 });
  expect(first.results).toHaveLength(4);
  const whole = await evaluated({ ...request, results: file });
  expect(whole.results).toHaveLength(6);
  expect(whole.results.slice(0, 4)).toEqual(first.results);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(6);
  expect(JSON.parse(lines[0]!)).toMatchObject({ model: 'before', question: 'How many?', answers: ['3'] });
});

it.each([
  [{ models: [] }, 'INVALID_ARGUMENT', 'no models'],
  [{ models: [both[0]!, both[0]!] }, 'INVALID_ARGUMENT', 'same label'],
  [{ task: Task.UNSPECIFIED }, 'INVALID_ARGUMENT', 'task'],
  [{ annotations: '/none.json' }, 'INVALID_ARGUMENT', '/none.json'],
  [{ models: [{ label: 'x', checkpoint: '/none' }] }, 'FAILED_PRECONDITION', '/none'],
])('refuses a wrong request (%#)', async (wrong, code, message) => {
  await expect(evaluated({ ...request, ...wrong })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
});
