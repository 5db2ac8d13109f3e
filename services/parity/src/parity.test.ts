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
import { afterAll, beforeAll, expect, it } from 'vitest';
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
