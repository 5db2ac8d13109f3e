/** Runs for tests, written as the services and `mpa align` write them. */
import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import {
  AnnotationSchema,
  AnnotationStatus,
  create,
  DecisionSchema,
  DecisionStatus,
  ImageRecordSchema,
  Task,
  type MessageInitShape,
} from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { runPaths } from '@mpa/storage';
import { openEmbeddedStreams } from '@mpa/streams';
import sharp from 'sharp';

const TASKS = [Task.TEXTVQA, Task.STVQA, Task.CHARTQA, Task.OKVQA];
const GRID = 4;
/** Records written at a time. */
const BATCH = 2000;

/** How the n-th sample of a run comes out: every tenth is skipped, then rejected, rehearsed and differing ones in turns. */
export function fateOf(n: number): 'skipped' | 'rejected' | 'rehearsal' | 'student_differs' {
  if (n % 10 === 9) return 'skipped';
  return (['student_differs', 'rehearsal', 'rejected'] as const)[n % 3]!;
}

/** Id of the n-th sample. */
export function idOf(n: number): string {
  return `sample-${String(n).padStart(6, '0')}`;
}

/** A small picture, of another colour for every n. */
export async function drawImage(path: string, n: number): Promise<void> {
  const background = { r: (n * 67) % 256, g: 120, b: (n * 31) % 256 };
  await sharp({ create: { width: 64, height: 48, channels: 3, background } }).png().toFile(path); // prettier-ignore
}

/** Makes the folder of a run that has just begun, with its configuration; nothing is in its records. */
export function beginRun(folder: string, settings: object = {}): void {
  const paths = runPaths(folder);
  for (const part of [paths.streams, paths.records, paths.checkpoints]) mkdirSync(part, { recursive: true });
  const sources = ['textvqa', 'stvqa', 'chartqa', 'okvqa'].map((task) => ({
    task,
    images: '/images',
    eval: { annotations: '/labels', images: '/images' },
  }));
  const config = { sources, teacher: '/models/large', student: '/models/small', config: { trainer: settings } };
  writeFileSync(paths.config, JSON.stringify(config));
}

/** Puts samples `from` to `to` (exclusive) into a run's log, listed, annotated and decided. */
export async function addSamples(
  folder: string,
  from: number,
  to: number,
  image: (n: number) => string,
): Promise<void> {
  const streams = openEmbeddedStreams(runPaths(folder).streams);
  try {
    for (let start = from; start < to; start += BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, to - start) }, (_, i) => start + i);
      const send = (topic: string, records: Parameters<typeof streams.producer.send>[1]): Promise<unknown> =>
        streams.producer.send(topic, records);
      const samples = numbers.map((n) => ({ n, ...sampleOf(n, image(n)) }));
      await send('images', samples.map(({ n, base }) => topics.images.record(idOf(n), create(ImageRecordSchema, base)))); // prettier-ignore
      await send('annotations', samples.map(({ n, annotation }) => topics.annotations.record(idOf(n), create(AnnotationSchema, annotation)))); // prettier-ignore
      const decided = samples.filter(({ n }) => fateOf(n) !== 'skipped');
      await send('decisions', decided.map(({ n, decision }) => topics.decisions.record(idOf(n), create(DecisionSchema, decision)))); // prettier-ignore
    }
  } finally {
    await streams.close();
  }
}

/** The same from another process, as in life: lmdb does not take one process that reads and writes the same log apart. */
export async function addSamplesElsewhere(folder: string, from: number, to: number, image: string): Promise<void> {
  const script = fileURLToPath(new URL('./write-samples.fixture.ts', import.meta.url));
  const args = ['--import', 'tsx', '--conditions=@mpa/source', script, folder, String(from), String(to), image];
  await promisify(execFile)(process.execPath, args);
}

interface SampleMessages {
  readonly base: MessageInitShape<typeof ImageRecordSchema>;
  readonly annotation: MessageInitShape<typeof AnnotationSchema>;
  readonly decision: MessageInitShape<typeof DecisionSchema>;
}

function sampleOf(n: number, imageFile: string): SampleMessages {
  const fate = fateOf(n);
  const path = `image-${n}.png`;
  const base = { sampleId: idOf(n), runId: 'run', task: TASKS[n % 4]!, image: { uri: pathToFileURL(imageFile).href, path } }; // prettier-ignore
  const asked = { ...base, question: `What is number ${n}?`, answer: `apple ${n}`, selfCheck: `apple ${n}` };
  const attention = { grid: GRID, cells: Array<number>(GRID * GRID).fill(1 / (GRID * GRID)) };
  const rationale = [{ text: 'It is round.', logProbability: -2 }];
  const signals = { attention, rationale, answerLogProbabilityPerCharacter: -0.1 };
  const selected = fate !== 'rejected';
  return {
    base,
    annotation:
      fate === 'skipped'
        ? { ...base, status: AnnotationStatus.SKIPPED, skipped: { reason: 'damaged', detail: 'ends early' } }
        : { ...asked, status: AnnotationStatus.ANNOTATED, signals },
    decision: {
      ...asked,
      status: selected ? DecisionStatus.SELECTED : DecisionStatus.REJECTED,
      cause: { reason: selected ? fate : 'teacher_disagrees_with_itself' },
      studentAnswer: fate === 'rehearsal' ? `apple ${n}` : `pear ${n}`,
      signals,
      studentSignals: { attention, rationale: [{ text: 'It is round.', logProbability: -20 }] },
      discrepancies: { answer: 1, confidence: (n % 100) / 100, attention: 0.25, reasoning: 0.5, partsAt: 0 },
    },
  };
}

/** Puts steps `from` to `to` (exclusive) into a run's training curve. */
export function addSteps(folder: string, from: number, to: number, steps: number): void {
  const lines = Array.from({ length: to - from }, (_, i) => {
    const loss = 2 / (from + i + 1);
    const terms = { answer: { raw: loss, weighted: loss }, reasoning: { raw: 1, weighted: 0.3 } };
    return `${JSON.stringify({ step: from + i + 1, steps, loss, terms })}\n`;
  });
  appendFileSync(join(runPaths(folder).records, 'training.jsonl'), lines.join(''));
}

/** Puts the answers of all three models to `questions` questions of a task into a run's records. */
export function addResults(folder: string, task: string, questions: number): void {
  const models = { before: 4, after: 3, teacher: 2 };
  const lines = Object.entries(models).flatMap(([model, every]) =>
    Array.from({ length: questions }, (_, n) =>
      JSON.stringify({ model, questionId: String(n), question: 'q', score: n % every === 0 ? 1 : 0 }),
    ),
  );
  appendFileSync(join(runPaths(folder).records, `evaluation-${task}.jsonl`), `${lines.join('\n')}\n`);
}

/** Writes what a finished run leaves beside its records. */
export function finishRun(folder: string): void {
  const perModel = { before: 0.25, after: 0.34, teacher: 0.5 };
  const speed = { before: 40, after: 39, teacher: 11 };
  const summary = { run: folder, images: 60, annotated: 54, selected: 36, eval: { chartqa: { ...perModel, n: 12 } }, speed, seconds: 75 }; // prettier-ignore
  writeFileSync(runPaths(folder).state, JSON.stringify({ seconds: 75, images: 60 }));
  writeFileSync(runPaths(folder).summary, JSON.stringify(summary));
}

/** A whole finished run of 60 samples, with images that are there. */
export async function writeRun(folder: string, settings: object = {}): Promise<void> {
  beginRun(folder, settings);
  const images = join(folder, 'images');
  mkdirSync(images);
  const file = (n: number): string => join(images, `image-${n}.png`);
  for (let n = 0; n < 60; n++) await drawImage(file(n), n);
  await addSamples(folder, 0, 60, file);
  addSteps(folder, 0, 40, 40);
  addResults(folder, 'chartqa', 12);
  finishRun(folder);
}
