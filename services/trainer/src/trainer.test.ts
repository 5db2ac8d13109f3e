import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { create, createClient, DecisionStatus, SignalsSchema, TrainerService } from '@mpa/contracts';
import type { Client, TrainingProgress, TrainingResult } from '@mpa/contracts';
import { createLogger, startInProcess } from '@mpa/service-kit';
import type { RunningService } from '@mpa/service-kit';
import { tf } from '@mpa/tensorflow';
import { openCheckpoint } from '@mpa/vlm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { brokenDecision, CHECKPOINT, decision, newRun, RUN_ID } from './test-run.fixture.js';
import { trainer } from './trainer.js';

const TRAINING = { epochs: 8, batch: 2, saveEvery: 4, learningRate: 1e-3, seed: 7 };
/** Seven questions on five images, packed, in batches of two. */
const QUESTIONS = 7;
const STEPS = (8 * 5) / 2;

const told = create(SignalsSchema, {
  nBest: [
    { text: 'the 0th', logProbability: -1, probability: 1 },
    { text: 'none', logProbability: -20, probability: 0 },
  ],
  attention: { grid: 2, cells: [0.7, 0.1, 0.1, 0.1] },
  rationale: [{ text: 'There are bars.', logProbability: -1 }],
  rationalePrompt: 'Why?',
});

type Request = Parameters<Client<typeof TrainerService>['train']>[0];

const folders: string[] = [];
const children: ChildProcess[] = [];
const clients: Client<typeof TrainerService>[] = [];

async function standardRun(): Promise<string> {
  const folder = await newRun(async (inside) => [
    ...Array.from({ length: QUESTIONS }, (_, i) => decision(i)),
    decision(20, { status: DecisionStatus.REJECTED, weight: 0 }),
    decision(21, { runId: 'another run' }),
    await brokenDecision(22, inside),
    await brokenDecision(23, inside, 'no image'),
  ]);
  folders.push(folder);
  return folder;
}

const requestIn = (folder: string) => ({
  runId: RUN_ID,
  streams: join(folder, 'streams'),
  checkpoint: CHECKPOINT,
  output: join(folder, 'levelled'),
  state: join(folder, 'state'),
});

function clientAt(address: string): Client<typeof TrainerService> {
  const client = createClient(TrainerService, address);
  clients.push(client);
  return client;
}

/** Trains to the end or until `enough`. */
async function trainUntil(
  client: Client<typeof TrainerService>,
  request: Request,
  enough: (progress: TrainingProgress) => boolean = () => false,
): Promise<{ steps: TrainingProgress[]; result?: TrainingResult }> {
  const steps: TrainingProgress[] = [];
  for await (const { event } of client.train(request)) {
    if (event.case === 'result') return { steps, result: event.value };
    if (event.case !== 'progress') continue;
    steps.push(event.value);
    if (enough(event.value)) break;
  }
  return { steps };
}

const losses = (steps: readonly TrainingProgress[]): [number, number, number][] =>
  steps.map(({ step, loss, gradientNorm }) => [step, loss, gradientNorm]);

const weightsIn = (folder: string): Buffer => readFileSync(join(folder, 'levelled', 'model.safetensors'));

const logger = createLogger('trainer', 'silent');
let service: RunningService;
let client: Client<typeof TrainerService>;
/** A training that nothing disturbs, and its folder. */
let undisturbed: string;
let whole: Awaited<ReturnType<typeof trainUntil>>;

beforeAll(async () => {
  service = await startInProcess(trainer, { training: TRAINING }, { logger });
  client = clientAt(service.address);
  undisturbed = await standardRun();
  whole = await trainUntil(client, requestIn(undisturbed));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  clients.forEach((each) => each.close());
  await service.stop();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

describe('a training', () => {
  it('lowers the loss, holds no more tensors than at its start and writes a checkpoint with the updates merged', async () => {
    const { steps, result } = whole;
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    expect(steps.at(-1)!.loss).toBeLessThan(0.8 * steps[0]!.loss);
    expect(new Set(steps.map(({ tensors }) => tensors)).size).toBe(1);
    expect(result).toMatchObject({ samples: QUESTIONS, steps: STEPS, unreadable: 2 });
    const [before, after] = [await openCheckpoint(CHECKPOINT), await openCheckpoint(result!.checkpoint)];
    const same = (name: string): boolean => Buffer.from(before.weights.read(name).buffer).equals(Buffer.from(after.weights.read(name).buffer)); // prettier-ignore
    expect(same('model.text_model.layers.0.self_attn.q_proj.weight')).toBe(false);
    expect(same('model.vision_model.encoder.layers.0.mlp.fc1.weight')).toBe(true);
    before.close();
    after.close();
  });

  it('goes the same way twice, with room to keep images or without, and another one with another seed', async () => {
    const [a, b] = [await standardRun(), await standardRun()];
    const forgetful = await startInProcess(trainer, { training: TRAINING, cacheMegabytes: 0 }, { logger });
    const second = await trainUntil(clientAt(forgetful.address), requestIn(a));
    await forgetful.stop();
    const other = await trainUntil(client, { ...requestIn(b), options: { seed: 8 } });
    expect(losses(second.steps)).toEqual(losses(whole.steps));
    expect(weightsIn(a).equals(weightsIn(undisturbed))).toBe(true);
    expect(losses(other.steps)).not.toEqual(losses(whole.steps));
  });

  it('has done its work when asked again', async () => {
    const written = weightsIn(undisturbed);
    expect(await trainUntil(client, requestIn(undisturbed))).toEqual({ steps: [], result: whole.result });
    expect(weightsIn(undisturbed).equals(written)).toBe(true);
  });

  it('saves its state when the caller hangs up, and goes on from there', async () => {
    const folder = await standardRun();
    const begun = await trainUntil(client, requestIn(folder), ({ step }) => step === 6);
    const again = await retrying(() => trainUntil(client, requestIn(folder)));
    expect(again.steps[0]!.step).toBeGreaterThan(6);
    expect(losses(begun.steps)).toEqual(losses(whole.steps).slice(0, 6));
    expect(losses(again.steps)).toEqual(losses(whole.steps).slice(again.steps[0]!.step - 1));
    expect(weightsIn(folder).equals(weightsIn(undisturbed))).toBe(true);
  });

  it('saves its state when the service stops, and goes on in another one', async () => {
    const folder = await standardRun();
    const stopped = await startInProcess(trainer, { training: TRAINING }, { logger });
    let stop: Promise<void> | undefined;
    const begun = trainUntil(clientAt(stopped.address), requestIn(folder), ({ step }) => {
      if (step === 5) stop = stopped.stop();
      return false;
    });
    await expect(begun).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('saved') as string,
    });
    await stop;
    const again = await trainUntil(client, requestIn(folder));
    expect(again.steps[0]!.step).toBeGreaterThan(5);
    expect(again.result).toMatchObject({ steps: STEPS });
  });

  it('leaves the checkpoint as it is when nothing was selected', async () => {
    const folder = await newRun(async (inside) => [await brokenDecision(1, inside, 'no image')]);
    folders.push(folder);
    const { steps, result } = await trainUntil(client, requestIn(folder));
    expect(steps).toEqual([]);
    expect(result).toMatchObject({ checkpoint: CHECKPOINT, samples: 0, steps: 0, unreadable: 1 });
    expect(existsSync(join(folder, 'levelled'))).toBe(false);
  });

  it('logs each term of the loss, raw and weighted, and says how many samples had which signal', async () => {
    const run = (): Promise<string> =>
      newRun(() => Promise.resolve([decision(0, { signals: told }), decision(1, { signals: told }), decision(2)]));
    const options = {
      epochs: 4,
      confidence: 0.5,
      attention: 2,
      reasoning: 0.01,
      discrepancyWeight: 1,
      learningRate: 1e-3,
    };
    const folder = await run();
    folders.push(folder);
    const { steps, result } = await trainUntil(client, { ...requestIn(folder), options: { ...options, batch: 3 } });
    expect(result).toMatchObject({ samples: 3, signals: { confidence: 2, attention: 2, reasoning: 2 } });
    const [first, last] = [steps[0]!, steps.at(-1)!];
    const names = first.terms.map(({ name, questions }) => [name, questions]);
    expect(names).toEqual([['answer', 3], ['confidence', 2], ['attention', 2], ['reasoning', 2]]); // prettier-ignore
    expect(first.terms[0]!.raw).toBe(first.loss);
    const weights = first.terms.map(({ raw, weighted }) => weighted / raw);
    [1, 0.5, 2, 0.01].forEach((coefficient, i) => expect(weights[i]).toBeCloseTo(coefficient, 10));
    for (const { name, raw } of last.terms) {
      const before = first.terms.find((term) => term.name === name)!.raw;
      expect([name, raw < before]).toEqual([name, true]);
    }

    // The same three samples as three forward passes of one step: the means over all of them.
    const parts = await run();
    folders.push(parts);
    const apart = await trainUntil(client, { ...requestIn(parts), options: { ...options, batch: 1, accumulate: 3 } });
    apart.steps[0]!.terms.forEach(({ name, raw, questions }, i) => {
      expect([name, questions]).toEqual(names[i]);
      expect(raw).toBeCloseTo(first.terms[i]!.raw, 4); // float32 sums of another order
    });
    expect(new Set(steps.map(({ tensors }) => tensors)).size).toBe(1);
  });

  it('names the sample whose attention map is of another grid than the others', async () => {
    const finer = create(SignalsSchema, { attention: { grid: 3, cells: Array<number>(9).fill(1 / 9) } });
    const folder = await newRun(() =>
      Promise.resolve([decision(0, { signals: told }), decision(1, { signals: finer })]),
    );
    folders.push(folder);
    await expect(trainUntil(client, { ...requestIn(folder), options: { attention: 1 } })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/sample-1 has 9 cells and a grid of 3, others 2: annotate/) as string,
    });
  });

  it('refuses a state of another training', async () => {
    const folder = await standardRun();
    await trainUntil(client, { ...requestIn(folder), options: { epochs: 1 } });
    await expect(trainUntil(client, requestIn(folder))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('delete it') as string,
    });
  });

  it('that fails with a device that computes nothing any more saves nothing of it, and goes on elsewhere', async () => {
    const folder = await standardRun();
    const sick = await startInProcess(trainer, { training: TRAINING }, { logger });
    const asked = clientAt(sick.address);
    const part: TrainingProgress[] = [];
    const training = trainUntil(asked, requestIn(folder), (progress) => {
      part.push(progress);
      if (progress.step === 6) {
        const engine = tf.engine() as unknown as { runKernelFunc(): never };
        vi.spyOn(engine, 'runKernelFunc').mockImplementation(() => {
          throw new Error('CUDA_ERROR_LAUNCH_FAILED');
        });
      }
      return false;
    });
    await expect(training).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/^TensorFlow fails at a small product \(CUDA_ERROR_LAUNCH_FAILED\)/) as string,
    });
    vi.restoreAllMocks();
    await sick.stop();
    const rest = await trainUntil(client, requestIn(folder));
    expect(rest.steps[0]!.step).toBe(5);
    expect(losses([...part.slice(0, 4), ...rest.steps])).toEqual(losses(whole.steps));
    expect(weightsIn(folder).equals(weightsIn(undisturbed))).toBe(true);
  });

  it('refuses a second request while one is under way', async () => {
    const [folder, other] = [await standardRun(), await standardRun()];
    let refused: unknown;
    for await (const { event } of client.train(requestIn(folder))) {
      if (event.case !== 'progress' || refused) continue;
      refused = await trainUntil(client, requestIn(other)).catch((error: unknown) => error);
    }
    expect(refused).toMatchObject({ code: 'ABORTED', retriable: true });
  });

  it.each([
    [{ runId: '' }, 'INVALID_ARGUMENT', 'runId'],
    [{ output: CHECKPOINT }, 'INVALID_ARGUMENT', 'different folders'],
    [{ options: { batch: 0 } }, 'INVALID_ARGUMENT', 'batch'],
    [{ options: { trainable: { case: 'named', value: { pattern: '(' } } } }, 'INVALID_ARGUMENT', 'regular expression'],
    [{ options: { trainable: { case: 'lora', value: { rank: 4, alpha: 8, targets: ['x_proj'] } } } }, 'FAILED_PRECONDITION', 'x_proj'], // prettier-ignore
    [{ options: { trainable: { case: 'named', value: { pattern: 'nothing' } } } }, 'FAILED_PRECONDITION', 'nothing to train'], // prettier-ignore
    [{ checkpoint: '/no/such/folder' }, 'FAILED_PRECONDITION', '/no/such/folder'],
    [{ streams: 's3://bucket/run' }, 'INVALID_ARGUMENT', 's3://'],
  ])('names what is wrong with a request (%#)', async (wrong, code, message) => {
    const folder = await standardRun();
    const request = { ...requestIn(folder), ...(wrong as object) };
    await expect(trainUntil(client, request)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('the trainer as a process', () => {
  async function startChild(folder: string): Promise<Client<typeof TrainerService>> {
    const config = join(folder, 'trainer.json');
    await writeFile(config, JSON.stringify({ training: TRAINING }));
    const main = join(import.meta.dirname, 'main.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@mpa/source', main, '--config', config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const { address } = JSON.parse(line) as { address?: string };
      if (address) return clientAt(address);
    }
    throw new Error(`the trainer ended with ${child.exitCode}`);
  }

  async function killed(child: ChildProcess): Promise<void> {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  it('that is killed twice in the middle ends with the very losses and weights of one left alone', async () => {
    const folder = await standardRun();
    const curve = new Map<number, [number, number, number]>();
    for (const at of [6, 11]) {
      const victim = await startChild(folder);
      let interrupted: Promise<void> | undefined;
      const part: TrainingProgress[] = [];
      const training = trainUntil(victim, requestIn(folder), (progress) => {
        part.push(progress);
        if (progress.step >= at) interrupted ??= killed(children.at(-1)!);
        return false;
      });
      await expect(training).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await interrupted;
      losses(part).forEach((point) => curve.set(point[0], point));
      expect(part[0]!.step).toBeLessThanOrEqual(at);
    }
    const last = await trainUntil(client, requestIn(folder));
    losses(last.steps).forEach((point) => curve.set(point[0], point));
    expect(last.steps[0]!.step).toBeGreaterThan(8);
    expect([...curve.values()].sort((a, b) => a[0] - b[0])).toEqual(losses(whole.steps));
    expect(weightsIn(folder).equals(weightsIn(undisturbed))).toBe(true);
  });
});

async function retrying<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if ((error as { retriable?: boolean }).retriable !== true || attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
