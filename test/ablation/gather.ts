import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { annotator } from '@mpa/annotator';
import { create, createClient, ImageRecordSchema, taskOf, WorkerService } from '@mpa/contracts';
import type { Annotation, Decision } from '@mpa/contracts';
import { parity } from '@mpa/parity';
import { createLogger, startInProcess, topics } from '@mpa/service-kit';
import type { RunningService } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';
import type { Streams } from '@mpa/streams';
import type { Task } from '@mpa/answer-metrics';

/** An unlabeled image. */
export interface Unlabeled {
  readonly task: Task;
  readonly path: string;
}

/** Who looks at the images. */
export interface Pair {
  readonly teacher: string;
  readonly student: string;
  readonly cacheDir: string;
}

/** Settings of the annotator but for its model. */
export type AnnotatorSettings = Record<string, unknown>;

const LOOK_EVERY = 100;
const RUN_ID = 'ablation';

/**
 * Annotates the images and decides about them, with the services in this process; what `folder` holds of an earlier call is
 * kept. Both lists are in the order of the sample ids.
 */
export async function gather(
  images: readonly Unlabeled[],
  { teacher, student, cacheDir }: Pair,
  settings: AnnotatorSettings,
  folder: string,
): Promise<{ annotations: Annotation[]; decisions: Decision[] }> {
  const streams = openEmbeddedStreams(join(folder, 'streams'));
  const context = {
    logger: createLogger('ablation', 'silent'),
    openStreams: () => ({ streams, release: () => Promise.resolve() }),
  };
  const running: RunningService[] = [];
  try {
    await list(streams, images);
    const writer = await startInProcess(annotator, { ...settings, model: { checkpoint: teacher, cacheDir } }, context);
    running.push(writer);
    const judge = await startInProcess(parity, { model: { checkpoint: student, cacheDir } }, context);
    running.push(judge);
    await consume(writer, folder, async () => (await read(streams, topics.annotations)).length >= images.length);
    const annotations = await read(streams, topics.annotations);
    const annotated = annotations.filter(({ question }) => question !== '').length;
    await consume(judge, folder, async () => (await read(streams, topics.decisions)).length >= annotated);
    return { annotations, decisions: await read(streams, topics.decisions) };
  } finally {
    await Promise.all(running.map((service) => service.stop()));
    await streams.close();
  }
}

async function list(streams: Streams, images: readonly Unlabeled[]): Promise<void> {
  const records = images.map(({ task, path }, i) => {
    const sampleId = `${task}-${String(i).padStart(6, '0')}`;
    const image = { uri: pathToFileURL(path).href, path };
    return topics.images.record(
      sampleId,
      create(ImageRecordSchema, { sampleId, runId: RUN_ID, task: taskOf(task), image }),
    );
  });
  await streams.producer.send(topics.images.name, records);
}

async function consume(service: RunningService, folder: string, isDone: () => Promise<boolean>): Promise<void> {
  const client = createClient(WorkerService, service.address);
  const over = new AbortController();
  try {
    if (await isDone()) return;
    const work = (async (): Promise<void> => {
      const consuming = client.consume({ streams: join(folder, 'streams') }, { signal: over.signal });
      for await (const batch of consuming) void batch;
    })().catch((error: unknown) => {
      if (!over.signal.aborted) throw error;
    });
    const done = (async (): Promise<void> => {
      while (!(await isDone())) await pause(LOOK_EVERY);
    })();
    await Promise.race([work, done]);
    over.abort();
    await work;
  } finally {
    client.close();
  }
}

interface Topic<M> {
  readonly name: string;
  decode(record: Parameters<typeof topics.annotations.decode>[0]): M;
}

async function read<M extends { sampleId: string }>(streams: Streams, topic: Topic<M>): Promise<M[]> {
  const all: M[] = [];
  for await (const record of streams.readAll(topic.name)) all.push(topic.decode(record));
  return all.sort((a, b) => (a.sampleId < b.sampleId ? -1 : 1));
}
