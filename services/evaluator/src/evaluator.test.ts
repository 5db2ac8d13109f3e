import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient, EvaluatorService, Task } from '@mpa/contracts';
import type { Client, EvaluationResult, EvaluationSummary } from '@mpa/contracts';
import { readImage, VisionModel } from '@mpa/inference';
import { OnnxModel } from '@mpa/onnx';
import { createLogger, startInProcess } from '@mpa/service-kit';
import type { RunningService } from '@mpa/service-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { evaluator } from './evaluator.js';

const checkpoint = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-evaluator-'));
const other = join(work, 'other-checkpoint');
const annotations = join(work, 'test_human.json');
const imageRoot = join(work, 'png');
const images = ['case0_0_0.png', 'case1_0_0.png', 'case2_0_0.png', 'case2_1_1.png'];
const model = { cacheDir: join(work, 'graphs'), maxNewTokens: 6, threads: 1 };
const config = { model, batch: 3 };

/** Eight questions on four images, two of them asked far apart, one on a missing and two on a broken image. */
const asked = [0, 1, 2, 3, 0, 1, 2, 3].map((image, i) => ({ imgname: images[image]!, query: `How many are ${i}?` }));
const QUESTIONS = asked.length;

let running: RunningService;
let client: Client<typeof EvaluatorService>;
/** What the model says to each question, asked alone. */
const said = new Map<string, string>();

type Request = Parameters<Client<typeof EvaluatorService>['evaluate']>[0];
const both = [
  { label: 'before', checkpoint },
  { label: 'after', checkpoint: other },
];
const request = { models: both, task: Task.CHARTQA, annotations, imageRoot };

beforeAll(async () => {
  mkdirSync(imageRoot);
  cpSync(checkpoint, other, { recursive: true, filter: (path) => !path.includes('reference') });
  for (const name of images) copyFileSync(join(checkpoint, 'images', name), join(imageRoot, name));
  writeFileSync(join(imageRoot, 'broken.png'), 'not an image');
  const direct = await VisionModel.open({ ...model, checkpoint, precision: 'float32', executionProviders: ['cpu'] });
  for (const { imgname, query } of asked) {
    const [image] = await direct.look([direct.prepare(await readImage(join(imageRoot, imgname)))]);
    const [answer] = await direct.answer([{ image: image!, text: query }]);
    said.set(query, answer!.text);
  }
  await direct.close();
  // Right labels for the first six questions.
  const right = asked.map((each, i) => ({ ...each, label: i < 6 ? said.get(each.query)! : 'none of it' }));
  const unusable = ['gone.png', 'broken.png', 'broken.png'].map((imgname) => ({ imgname, query: '?', label: '3' }));
  writeFileSync(annotations, JSON.stringify([...right, ...unusable]));
  running = await startInProcess(evaluator, config, { logger: createLogger('evaluator', 'silent') });
  client = createClient(EvaluatorService, running.address);
});

afterAll(async () => {
  client.close();
  await running.stop();
  rmSync(work, { recursive: true });
});

interface Evaluated {
  readonly results: EvaluationResult[];
  readonly summaries: EvaluationSummary[];
}

async function evaluated(asking: Request, at = client, onResult = (_: number): void => undefined): Promise<Evaluated> {
  const [results, summaries]: [EvaluationResult[], EvaluationSummary[]] = [[], []];
  for await (const { event } of at.evaluate(asking)) {
    if (event.case === 'result') onResult(results.push(event.value));
    if (event.case === 'summary') summaries.push(event.value);
  }
  return { results, summaries };
}

const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore

const answersOf = ({ results }: Evaluated, label: string): Map<string, string> =>
  new Map(results.filter((result) => result.model === label).map((result) => [result.question, result.prediction]));

describe('the evaluator', () => {
  it('scores what each model says to each question, in turn, and counts what cannot be asked', async () => {
    const all = await evaluated(request);
    expect(answersOf(all, 'before')).toEqual(said);
    expect(answersOf(all, 'after')).toEqual(said);
    const turns = all.results.map((result) => result.model).join(' ');
    expect(turns).toBe([...Array<string>(3).fill('before'), ...Array<string>(6).fill('after'), ...Array<string>(5).fill('before'), ...Array<string>(2).fill('after')].join(' ')); // prettier-ignore
    expect(all.summaries.map((summary) => summary.model)).toEqual(['before', 'after']);
    for (const summary of all.summaries) {
      expect(summary).toMatchObject({ task: Task.CHARTQA, metric: 'relaxed_accuracy', questions: QUESTIONS });
      expect(summary).toMatchObject({ accuracy: 6 / 8, missingImages: 3 });
      const own = all.results.filter((result) => result.model === summary.model);
      const latencies = own.map((result) => result.latencyMilliseconds);
      // Groups of three, three and two.
      const seconds = (latencies[0]! + latencies[3]! + latencies[6]!) / 1000;
      expect(summary.answersPerSecond).toBeCloseTo(QUESTIONS / seconds, 6);
      expect(summary.latencyP95Milliseconds).toBeGreaterThanOrEqual(summary.latencyP50Milliseconds);
    }
  });

  it('keeps the results, names what it left out, and gives no answer twice', async () => {
    const results = join(work, 'results/chartqa.jsonl');
    const part = await evaluated({ ...request, results, limit: 5 });
    expect(part.results).toHaveLength(10);
    expect(linesOf(results).filter((line) => 'prediction' in line)).toHaveLength(10);
    const whole = await evaluated({ ...request, results });
    const kept = linesOf(results);
    expect(kept.filter((line) => 'prediction' in line)).toHaveLength(2 * QUESTIONS);
    expect(kept[1]).toMatchObject({ model: 'before', checkpoint, task: 'TASK_CHARTQA', prediction: part.results[0]!.prediction, together: 3 }); // prettier-ignore
    const skipped = kept.flatMap((line) => ('skipped' in line ? [line['skipped'] as { reason: string }] : []));
    expect(skipped.map(({ reason }) => reason)).toEqual(['missing', 'not-an-image', 'not-an-image']);
    const again = await evaluated({ ...request, results });
    expect(again).toEqual(whole);
    expect(linesOf(results)).toEqual(kept);
  });

  it('asks a checkpoint that was written anew again', async () => {
    const results = join(work, 'results/rewritten.jsonl');
    await evaluated({ ...request, results, limit: 2 });
    const weights = join(other, 'model.safetensors');
    writeFileSync(weights, readFileSync(weights));
    await evaluated({ ...request, results, limit: 2 });
    const models = linesOf(results).map((line) => line['model']);
    expect(models.filter((label) => label === 'before')).toHaveLength(2);
    expect(models.filter((label) => label === 'after')).toHaveLength(4);
  });

  it('keeps no answer of a model that fails at everything, and asks again in a new process', async () => {
    const results = join(work, 'results/sick.jsonl');
    const sick = await startInProcess(evaluator, config, { logger: createLogger('evaluator', 'silent') });
    const asking = createClient(EvaluatorService, sick.address);
    const { generate } = OnnxModel.prototype;
    let left = 6;
    vi.spyOn(OnnxModel.prototype, 'generate').mockImplementation(async function (this: OnnxModel, ...call) {
      left -= 1;
      if (left < 0) throw new Error('CUDA failure 719');
      return generate.apply(this, call);
    });
    await expect(evaluated({ ...request, results }, asking)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(
        /does not work: it fails at what it could do before \(CUDA failure 719\)/,
      ) as string,
    });
    vi.restoreAllMocks();
    asking.close();
    await sick.stop();
    // Each model is asked when it is opened, to warm up, and about its first group.
    const kept = linesOf(results).filter((line) => 'prediction' in line);
    expect(kept).toHaveLength(6);
    for (const line of kept) expect(line['prediction']).toBe(said.get(line['question'] as string));
    const whole = await evaluated({ ...request, results });
    expect(whole.summaries).toMatchObject([{ accuracy: 6 / 8 }, { accuracy: 6 / 8 }]);
  });

  it('refuses a second evaluation while one is under way, and stops when its caller hangs up', async () => {
    for await (const { event } of client.evaluate(request)) {
      expect(event.case).toBe('result');
      await expect(evaluated(request)).rejects.toMatchObject({ code: 'ABORTED', retriable: true });
      break;
    }
    await expect.poll(() => evaluated({ ...request, limit: 1 }).then(() => 'free', () => 'busy')).toBe('free'); // prettier-ignore
  });

  it.each([
    [{ models: [] }, 'INVALID_ARGUMENT', 'models'],
    [{ models: [both[0]!, both[0]!] }, 'INVALID_ARGUMENT', 'differ'],
    [{ models: [{ label: 'x' }] }, 'INVALID_ARGUMENT', 'checkpoint'],
    [{ task: Task.UNSPECIFIED }, 'INVALID_ARGUMENT', 'task'],
    [{ task: Task.TEXTVQA }, 'INVALID_ARGUMENT', 'right benchmark'],
    [{ annotations: '/none.json' }, 'INVALID_ARGUMENT', '/none.json'],
    [{ models: [{ label: 'x', checkpoint: '/none' }] }, 'FAILED_PRECONDITION', '/none'],
    [{ results: 's3://bucket/results' }, 'INVALID_ARGUMENT', 's3://'],
  ])('refuses a wrong request (%#)', async (wrong, code, message) => {
    await expect(evaluated({ ...request, ...(wrong as object) })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('the evaluator as a process', () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  async function startChild(): Promise<string> {
    const file = join(work, 'evaluator.json');
    writeFileSync(file, JSON.stringify({ ...config, batch: 1 }));
    const main = join(import.meta.dirname, 'main.ts');
    const args = ['--import', 'tsx', '--conditions=@mpa/source', main, '--config', file];
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child = started;
    for await (const line of createInterface({ input: started.stdout })) {
      const { address } = JSON.parse(line) as { address?: string };
      if (address) return address;
    }
    throw new Error(`the evaluator ended with ${started.exitCode}`);
  }

  it('that is killed in the middle goes on where it was', async () => {
    const results = join(work, 'results/killed.jsonl');
    const victim = createClient(EvaluatorService, await startChild());
    const dying = evaluated({ ...request, results }, victim, (count) => {
      if (count === 5) child!.kill('SIGKILL');
    });
    const exit = once(child!, 'exit');
    await expect(dying).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await exit;
    victim.close();
    const before = linesOf(results).filter((line) => 'prediction' in line);
    expect(before.length).toBeGreaterThanOrEqual(5);
    expect(before.length).toBeLessThan(2 * QUESTIONS);
    const { summaries } = await evaluated({ ...request, results });
    expect(summaries).toMatchObject([{ questions: 8, accuracy: 6 / 8 }, { questions: 8, accuracy: 6 / 8 }]); // prettier-ignore
    const after = linesOf(results).filter((line) => 'prediction' in line);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after).toHaveLength(2 * QUESTIONS);
  });
});
