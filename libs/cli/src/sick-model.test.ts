import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AnnotationStatus, create, ImageRecordSchema, Task } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeAlignInputs, type AlignInputs } from './align-inputs.fixture.js';
import { workThrough } from './pipeline/work-through.js';
import { Workers } from './pipeline/workers.js';
import { lastObject, runMpa, startMpa } from './run-mpa.fixture.js';
import { serveService } from './serve-service.fixture.js';

const work = mkdtempSync(join(tmpdir(), 'mpa-sick-'));
const COUNT = 12;
/** What a process with a device that breaks after so many answers is started with. */
const sickAfter = (answers: number) => ({
  env: { SICK_AFTER: String(answers) },
  command: [process.execPath, '--import', new URL('../dist/sick-model.fixture.js', import.meta.url).href],
});
const LINE =
  /the model teacher does not work: it fails at what it could do before \(ONNX Runtime: CUDA failure 719[^\n]*\n/;

let inputs: AlignInputs;
beforeAll(async () => {
  inputs = await writeAlignInputs(work, COUNT);
});
afterAll(() => rmSync(work, { recursive: true }));

it('an annotator whose device breaks gives its work to the other one and exits with 1', async () => {
  const place = join(work, 'shared');
  const streams = openEmbeddedStreams(place, { partitions: 4 });
  const images = readdirSync(inputs.images).map(
    (name) =>
    create(ImageRecordSchema, { sampleId: name, runId: 'r', task: Task.CHARTQA, image: { uri: pathToFileURL(join(inputs.images, name)).href } }), // prettier-ignore
  );
  await streams.producer.send(topics.images.name, images.map((image) => topics.images.record(image.sampleId, image))); // prettier-ignore
  const model = { checkpoint: inputs.teacher, cacheDir: join(work, 'graphs'), threads: 1 };
  const config = { model, batch: 2, diversity: { maxShare: 1 } };
  // It answers at its start, and then twice for each batch.
  const [sick, well] = await Promise.all([
    serveService('annotator', config, work, sickAfter(4)),
    serveService('annotator', config, work),
  ]);
  const workers = new Workers([sick.address, well.address]);
  const notes: string[] = [];
  const statuses = new Map<string, AnnotationStatus>();
  const isDone = async (): Promise<boolean> => {
    if (sick.child.exitCode !== null) well.child.kill('SIGCONT');
    for await (const { message } of topics.annotations.read(streams)) statuses.set(message.sampleId, message.status);
    return statuses.size === COUNT;
  };
  try {
    // So that there is work for the sick one, however slow it is.
    well.child.kill('SIGSTOP');
    const progress = { note: (text: string) => void notes.push(text) };
    await workThrough(workers, place, isDone, { signal: AbortSignal.timeout(120_000), patienceSeconds: 600, progress });
    expect(statuses.size).toBe(COUNT);
    expect(new Set(statuses.values())).toEqual(new Set([AnnotationStatus.ANNOTATED]));
    const { code, stderr } = await sick.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^annotator: ${LINE.source}$`));
    expect(notes[0]).toMatch(new RegExp(`^the worker at ${sick.address} is gone \\(the model teacher does not work`));
  } finally {
    workers.close();
    for (const signal of ['SIGCONT', 'SIGTERM'] as const) well.child.kill(signal);
    await well.ended;
    await streams.close();
  }
});

it('mpa align whose device breaks ends with a line, and goes on with the same command', async () => {
  const config = join(work, 'align.yaml');
  writeFileSync(config, 'annotator: { batch: 4, diversity: { maxShare: 1 } }\ntrainer: { training: { epochs: 1 } }\n');
  const { teacher, student, images } = inputs;
  const args = ['align', '--images', images, '--task', 'chartqa', '--teacher', teacher, '--student', student, '--out', join(work, 'run'), '--config', config, '--json']; // prettier-ignore
  const { code, stderr } = await startMpa(args, sickAfter(8)).ended;
  expect(code).toBe(1);
  expect(stderr.split('\n').filter((line) => line.startsWith('mpa: '))).toEqual([expect.stringMatching(/^mpa: the model \w.* does not work: it fails at what it could do before \(ONNX Runtime: CUDA failure 719/)]); // prettier-ignore
  const ended = await runMpa(...args);
  expect(ended).toMatchObject({ code: 0 });
  expect(lastObject(ended)).toMatchObject({ images: COUNT, annotated: COUNT, skipped: {}, selected: COUNT });
});
