import { topics } from '@mpa/service-kit';
import type { RunPaths } from '@mpa/storage';
import { openEmbeddedStreams, type OutgoingRecord, type Streams } from '@mpa/streams';
import type { Progress } from '../progress/progress.js';
import { readRunState } from './run-state.js';

/** Records sent at a time. */
const BATCH = 1024;

/**
 * Sends the image records that `mpa import` wrote into a run's folder to the cluster where the run goes on; of a run that was not imported there
 * are none. Doing it again adds nothing. Throws StreamsError `store`.
 */
export async function sendImported(
  folder: RunPaths,
  { producer }: Pick<Streams, 'producer'>,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const { imported, images = 0 } = await readRunState(folder);
  if (!imported) return;
  const { name } = topics.images;
  const log = openEmbeddedStreams(folder.streams, { readOnly: true });
  const stage = progress.stage('send what was imported', images);
  try {
    let sent = 0;
    let batch: OutgoingRecord[] = [];
    const flush = async (): Promise<void> => {
      await producer.send(name, batch);
      stage.update((sent += batch.length));
      batch = [];
    };
    for await (const record of log.readAll(name, { signal })) {
      batch.push(record);
      if (batch.length === BATCH) await flush();
    }
    await flush();
  } finally {
    stage.end();
    await log.close();
  }
}
