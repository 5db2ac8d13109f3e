import { create, ImageRecordSchema, taskOf } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { ImageStore, sampleId, type ListedImage } from '@mpa/storage';
import { HEADER, type OutgoingRecord, type Streams } from '@mpa/streams';
import type { AlignConfig } from './align-config.js';
import { FollowedImages } from './followed-images.js';
import type { PipelineOptions, TaskSource } from './pipeline-options.js';

/** Most records written at a time, and milliseconds that one waits for others. */
const BATCH = 4096;
const LONGEST_WAIT = 500;
/** Images that are there before the work on them begins: enough to time the models on. */
const FIRST = 8;

/** The listing of a run's images, which goes on while the first of them are in work already. */
export interface Listing {
  /** Records so far, with those of earlier sessions. */
  readonly count: number;
  readonly isComplete: boolean;
  /** Resolves when the first images are listed, maybe in an earlier session, or all. Rejects as `done` does. */
  readonly begun: Promise<void>;
  /** Resolves to the number of records when all are listed. Rejects with what the source throws. */
  readonly done: Promise<number>;
}

/** The listing of a run whose images are all listed. */
export function finishedListing(count: number): Listing {
  return { count, isComplete: true, begun: Promise.resolve(), done: Promise.resolve(count) };
}

/**
 * Puts one record for every image of the sources on the topic `images`, also for entries that cannot be images. A record's
 * id follows from task and path alone, and the topic takes each id once: listing again, after a kill, adds what is missing and
 * nothing else. Memory does not grow with the number of images. `done` rejects with StorageError when a source cannot be
 * reached or has no image.
 */
export function startListing(
  streams: Streams,
  runId: string,
  { sources, config }: Pick<PipelineOptions, 'sources'> & { readonly config: Pick<AlignConfig, 'images'> },
  signal: AbortSignal,
): Listing {
  let count = 0;
  let isComplete = false;
  let begin!: () => void;
  const enough = new Promise<void>((resolve) => (begin = resolve));

  async function run(): Promise<number> {
    count = await streams.count(topics.images.name);
    if (count >= FIRST) begin();
    for (const source of sources) {
      const images = new ImageStore({ ...config.images, imageRoots: source.imageRoots ?? [] });
      for await (const batch of batches(images.list(source.images, { signal }))) {
        const followed = new FollowedImages(source.task);
        const records = batch.map((image) => followed.begin(imageRecord(source, image, runId)));
        count += await followed.end(streams.producer.send(topics.images.name, records));
        if (count >= FIRST) begin();
      }
    }
    isComplete = true;
    begin();
    return count;
  }

  const done = run();
  done.catch(() => undefined);
  return {
    get count() {
      return count;
    },
    get isComplete() {
      return isComplete;
    },
    begun: Promise.race([enough, done.then(() => undefined)]),
    done,
  };
}

/** Gathers what comes quickly, and passes on what comes slowly. */
async function* batches<T>(items: AsyncIterable<T>): AsyncIterable<T[]> {
  let batch: T[] = [];
  let passed = -Infinity;
  for await (const item of items) {
    batch.push(item);
    if (batch.length < BATCH && performance.now() - passed < LONGEST_WAIT) continue;
    yield batch;
    batch = [];
    passed = performance.now();
  }
  if (batch.length > 0) yield batch;
}

function imageRecord({ task }: TaskSource, image: ListedImage, runId: string): OutgoingRecord {
  // The same path may be there under two tasks.
  const id = sampleId(`${task}/${image.path}`);
  const message = create(ImageRecordSchema, {
    sampleId: id,
    runId,
    task: taskOf(task),
    image: { uri: image.uri, path: image.path },
    ...(image.kind === 'skipped' ? { unusable: { reason: image.reason, detail: image.detail } } : {}),
  });
  return topics.images.record(id, message, { headers: { [HEADER.runId]: runId } });
}
