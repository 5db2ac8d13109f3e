import { create, ImageRecordSchema, taskOf } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { HEADER, type OutgoingRecord, type Streams } from '@mpa/streams';
import { fileStorage, sampleId, type ListedImage } from '@mpa/storage';
import type { TaskSource } from './pipeline-options.js';

/** Records written at a time. */
const BATCH = 256;

/**
 * Puts one record for every image of the sources on the topic `images`, also for entries that cannot be images. Doing it
 * again adds nothing. Throws StorageError when a source does not exist or has no image.
 *
 * @returns how many records there were
 */
export async function listImages(
  streams: Streams,
  runId: string,
  sources: readonly TaskSource[],
  signal: AbortSignal,
): Promise<number> {
  let listed = 0;
  for (const source of sources) {
    let batch: OutgoingRecord[] = [];
    const flush = async (): Promise<void> => {
      await streams.producer.send(topics.images.name, batch);
      listed += batch.length;
      batch = [];
    };
    for await (const image of fileStorage.listImages(source.images, { signal })) {
      batch.push(imageRecord(source, image, runId));
      if (batch.length >= BATCH) await flush();
    }
    await flush();
  }
  return listed;
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
