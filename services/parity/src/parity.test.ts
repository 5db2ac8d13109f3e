import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  AnnotationSchema,
  AnnotationStatus,
  create,
  createClient,
  DecisionStatus,
  ModelService,
  ParityService,
  Task,
  WorkerService,
} from '@mpa/contracts';
import type { Annotation, Decision, MessageInitShape } from '@mpa/contracts';
import { createLogger, startInProcess, topics } from '@mpa/service-kit';
import type { RunningService } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';
import type { Streams } from '@mpa/streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parity } from './parity.js';

const checkpoint = fileURLToPath(new URL('../../../test/fixtures/vlm/smolvlm-a/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mpa-parity-'));
const uri = pathToFileURL(join(checkpoint, 'images/case0_0_0.png')).href;
const question = 'Where is the triangle?';

let running: RunningService;
let streams: Streams;
let known: string;
beforeAll(async () => {
  streams = openEmbeddedStreams(join(work, 'streams'), { partitions: 2 });
  const model = { checkpoint, cacheDir: join(work, 'graphs'), maxNewTokens: 12, threads: 1 };
  running = await startInProcess(
    parity,
    { model, batch: 2 },
    {
      logger: createLogger('test', 'silent'),
      openStreams: () => ({ streams, release: () => Promise.resolve() }),
    },
  );
  const client = createClient(ModelService, running.address);
  const { answers } = await client.answer({ image: { source: { case: 'uri', value: uri } }, questions: [question] });
  known = answers[0]!.text;
  client.close();
});
afterAll(async () => {
  await running.stop();
  await streams.close();
  rmSync(work, { recursive: true });
});

function annotated(
  sampleId: string,
  fields: Exclude<MessageInitShape<typeof AnnotationSchema>, Annotation>,
): Annotation {
  const answer = { answer: 'a lemon', selfCheck: 'lemon' };
  const common = { sampleId, runId: 'r', task: Task.OKVQA, question, status: AnnotationStatus.ANNOTATED };
  return create(AnnotationSchema, { ...common, ...answer, image: { uri }, ...fields });
}

it('decides about one annotation', async () => {
  const client = createClient(ParityService, running.address);
  try {
    const { decision } = await client.decide({ annotation: annotated('one', {}) });
    expect(decision).toMatchObject({
      status: DecisionStatus.SELECTED,
      cause: { reason: 'student_differs' },
      question,
      answer: 'a lemon',
      studentAnswer: known,
      studentModelId: 'smolvlm-a',
      weight: 1,
    });
    const skipped = annotated('two', { status: AnnotationStatus.SKIPPED });
    await expect(client.decide({ annotation: skipped })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    const lost = annotated('three', { image: { uri: 'file:///gone.png' } });
    await expect(client.decide({ annotation: lost })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  } finally {
    client.close();
  }
});

describe('signals', () => {
  const uniform = { grid: 3, cells: Array<number>(9).fill(1 / 9) };
  const told = {
    answerLogProbabilityPerCharacter: -0.01,
    nBest: [
      { text: 'lemon', logProbability: -1, probability: 0.9 },
      { text: 'a lime', logProbability: -3.2, probability: 0.1 },
    ],
    attention: uniform,
    rationale: [
      { text: 'It is yellow. ', logProbability: -2 },
      { text: 'It is sour.', logProbability: -2 },
    ],
    rationalePrompt: 'Why?',
  };

  it('of the L-VLM are compared with the S-VLM’s of the same texts', async () => {
    const client = createClient(ParityService, running.address);
    const scorer = createClient(ModelService, running.address);
    try {
      const { decision } = await client.decide({ annotation: annotated('one', { signals: told }) });
      const { signals, studentSignals, discrepancies } = decision!;
      expect(signals).toMatchObject({ nBest: told.nBest, rationale: told.rationale });
      expect(studentSignals!.nBest.map(({ text }) => text)).toEqual(['lemon', 'a lime']);
      expect(studentSignals!.attention!.cells).toHaveLength(9);
      const image = { source: { case: 'uri', value: uri } } as const;
      const score = async (about: string, answers: string[]): Promise<number[]> =>
        (await scorer.score({ image, question: about, answers })).logProbabilities;
      // The same float32 model on batches of other shapes: noise of some 1e-6 a token of about -6.
      const [lemon, lime, answer] = await score(question, ['lemon', 'a lime', 'a lemon']);
      expect(studentSignals!.nBest[0]!.logProbability).toBeCloseTo(lemon!, 3);
      expect(studentSignals!.nBest[1]!.logProbability).toBeCloseTo(lime!, 3);
      expect(studentSignals!.answerLogProbabilityPerCharacter).toBeCloseTo(answer! / 7, 4);
      const [path] = await score('Why?', ['It is yellow. It is sour.']);
      const steps = studentSignals!.rationale.map(({ logProbability }) => logProbability);
      expect(steps[0]! + steps[1]!).toBeCloseTo(path!, 3);
      // A model of random weights finds nothing likely: it parts at once.
      expect(discrepancies).toMatchObject({ answer: 1, partsAt: 0 });
      for (const part of ['confidence', 'answerGap', 'nBest', 'attention', 'reasoning'] as const) {
        expect([part, discrepancies![part]! > 0 && discrepancies![part]! < 1]).toEqual([part, true]);
      }

      // The S-VLM's own signals in the place of the L-VLM's: no difference.
      const mirrored = { ...studentSignals!, rationalePrompt: 'Why?' };
      const same = await client.decide({ annotation: annotated('two', { signals: mirrored }) });
      const { answerGap, nBest, attention, reasoning, partsAt } = same.decision!.discrepancies!;
      for (const part of [answerGap, nBest, attention, reasoning]) expect(part).toBeCloseTo(0, 5);
      expect(partsAt).toBeUndefined();
    } finally {
      client.close();
      scorer.close();
    }
  });

  it('that the L-VLM did not send leave their discrepancies out', async () => {
    const client = createClient(ParityService, running.address);
    const { decision } = await client.decide({ annotation: annotated('one', { signals: { attention: uniform } }) });
    client.close();
    const { answer, attention, confidence, reasoning } = decision!.discrepancies!;
    expect([answer, attention! > 0, confidence, reasoning]).toEqual([1, true, undefined, undefined]);
    expect(decision!.studentSignals).toMatchObject({ nBest: [], rationale: [] });
  });

  it('select a right answer too where they differ by more than was asked for', async () => {
    const model = { checkpoint, cacheDir: join(work, 'graphs'), maxNewTokens: 12, threads: 1 };
    const eager = await startInProcess(
      parity,
      { model, selectAgreeing: { above: 0.2 }, rehearse: 0.5 },
      {
        logger: createLogger('test', 'silent'),
        openStreams: () => ({ streams, release: () => Promise.resolve() }),
      },
    );
    const client = createClient(ParityService, eager.address);
    try {
      const agreeing = { answer: known, selfCheck: known };
      const { decision } = await client.decide({ annotation: annotated('one', { ...agreeing, signals: told }) });
      expect(decision).toMatchObject({
        status: DecisionStatus.SELECTED,
        cause: { reason: 'student_agrees_otherwise' },
        weight: 1,
        discrepancies: { answer: 0 },
      });
      // Without signals there is nothing to differ by; half of such samples are rehearsed, the same ones each time.
      const reasons = async (): Promise<string[]> => {
        const made = Array.from({ length: 20 }, (_, i) => client.decide({ annotation: annotated(`s${i}`, agreeing) }));
        return (await Promise.all(made)).map(({ decision }) => decision!.cause!.reason);
      };
      const first = await reasons();
      expect(new Set(first)).toEqual(new Set(['rehearsal', 'student_agrees']));
      expect(await reasons()).toEqual(first);
    } finally {
      client.close();
      await eager.stop();
    }
  });
});

it('decides about every annotated record of a log, and about no skipped one', async () => {
  const annotations = [
    annotated('differs', {}),
    annotated('agrees', { answer: known, selfCheck: known }),
    annotated('unsure', { selfCheck: 'an orange' }),
    annotated('gone', { image: { uri: 'file:///gone.png' } }),
    annotated('skipped', { status: AnnotationStatus.SKIPPED }),
  ];
  const records = annotations.map((each) => topics.annotations.record(each.sampleId, each));
  await streams.producer.send(topics.annotations.name, records);
  const worker = createClient(WorkerService, running.address);
  const outcomes: Record<string, number> = {};
  for await (const report of worker.consume({ streams: work })) {
    for (const [name, count] of Object.entries(report.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
    if (Object.values(outcomes).reduce((a, b) => a + b, 0) >= 4) break;
  }
  worker.close();

  async function decisions(): Promise<Decision[]> {
    const all: Decision[] = [];
    for await (const record of streams.readAll(topics.decisions.name)) all.push(topics.decisions.decode(record));
    return all;
  }
  await expect.poll(async () => (await decisions()).length, { timeout: 5_000 }).toBe(4);
  const made = new Map((await decisions()).map((each) => [each.sampleId, each]));
  const reasonOf = (id: string): [DecisionStatus, string, number] => {
    const { status, cause, weight } = made.get(id)!;
    return [status, cause!.reason, weight];
  };
  expect(reasonOf('differs')).toEqual([DecisionStatus.SELECTED, 'student_differs', 1]);
  expect(reasonOf('agrees')).toEqual([DecisionStatus.REJECTED, 'student_agrees', 0]);
  expect(reasonOf('unsure')).toEqual([DecisionStatus.REJECTED, 'teacher_disagrees_with_itself', 0]);
  expect(reasonOf('gone')).toEqual([DecisionStatus.REJECTED, 'not-found', 0]);
  expect(outcomes).toEqual({
    student_differs: 1,
    student_agrees: 1,
    teacher_disagrees_with_itself: 1,
    'not-found': 1,
  });
});
