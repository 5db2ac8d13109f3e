import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { annotator } from '@mpa/annotator';
import {
  create,
  createClient,
  ImageRecordSchema,
  Task,
  WorkerService,
  type Annotation,
  type TeacherReply,
} from '@mpa/contracts';
import { createLogger, startInProcess, topics } from '@mpa/service-kit';
import { openEmbeddedStreams, type Streams } from '@mpa/streams';
import sharp from 'sharp';

/** The log of a run, with images listed. */
export interface ListedRun {
  readonly streams: Streams;
  /** Sample ids. */
  readonly ids: readonly string[];
}

/** Draws images of one colour each into `folder`. */
export async function drawImages(folder: string, count: number): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const file = join(folder, `${i}.png`);
      const background = { r: i % 256, g: (37 * i) % 256, b: 99 };
      await sharp({ create: { width: 40, height: 30, channels: 3, background } })
        .png()
        .toFile(file);
      return file;
    }),
  );
}

/** A log that lists the images. */
export async function listRun(folder: string, files: readonly string[]): Promise<ListedRun> {
  const streams = openEmbeddedStreams(folder, { partitions: 4 });
  const images = files.map((file, i) =>
    create(ImageRecordSchema, { sampleId: `s${i}`, task: Task.CHARTQA, image: { uri: pathToFileURL(file).href } }),
  );
  await streams.producer.send(
    topics.images.name,
    images.map((image) => topics.images.record(image.sampleId, image)),
  );
  return { streams, ids: images.map(({ sampleId }) => sampleId) };
}

/** Has an annotator with this endpoint work on a run until every image has its record. Throws RpcError when the work ends before. */
export async function annotateRun(
  { streams, ids }: ListedRun,
  endpoint: object,
  { env = {}, ...settings }: { readonly env?: Record<string, string> } & Record<string, unknown> = {},
): Promise<void> {
  // As quick as a test may be, and patient with a loaded machine.
  const traffic = {
    timeout: 2,
    attempts: 10,
    pause: 0.02,
    longestPause: 0.2,
    ...(endpoint as { traffic?: object }).traffic,
  };
  const config = { diversity: { maxShare: 1 }, ...settings, endpoint: { model: 'tiny', ...endpoint, traffic } };
  const running = await startInProcess(annotator, config as never, {
    logger: createLogger('test', 'silent'),
    openStreams: () => ({ streams, release: () => Promise.resolve() }),
    env,
  });
  const worker = createClient(WorkerService, running.address);
  try {
    let done = (await annotationsOf(streams)).length;
    if (done >= ids.length) return;
    for await (const { outcomes } of worker.consume({ streams: 'here' })) {
      done += Object.values(outcomes).reduce((a, b) => a + b, 0);
      if (done >= ids.length) break;
    }
  } finally {
    worker.close();
    await running.stop();
  }
}

/** The annotations of a run. */
export async function annotationsOf(streams: Streams): Promise<Annotation[]> {
  const all: Annotation[] = [];
  for await (const record of streams.readAll(topics.annotations.name)) all.push(topics.annotations.decode(record));
  return all;
}

/** What a run's log keeps of the endpoint's replies. */
export async function repliesOf(streams: Streams): Promise<TeacherReply[]> {
  const all: TeacherReply[] = [];
  for await (const record of streams.readAll(topics.replies.name)) all.push(topics.replies.decode(record));
  return all;
}
