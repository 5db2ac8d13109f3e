import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StreamsError, type Streams } from '@mpa/streams';
import { expect, it } from 'vitest';
import { patientStreams } from './patient-streams.js';
import { RecordKeeper } from './record-keeper.js';
import { TopicTail } from './topic-tail.js';

function surroundings() {
  const stop = new AbortController();
  const notes: string[] = [];
  return {
    stop,
    notes,
    signal: stop.signal,
    patienceSeconds: 600,
    progress: { note: (text: string): void => void notes.push(text) },
  };
}

it('ends a reading that hears nothing when the run is interrupted', async () => {
  const silent: Pick<Streams, 'readAll'> = {
    async *readAll(_, options) {
      await new Promise((_, reject) =>
        options?.signal?.addEventListener('abort', () => reject(options.signal!.reason as Error)),
      );
    },
  };
  const { stop, ...around } = surroundings();
  const reading = new TopicTail(patientStreams(silent as Streams, around), 't').read().next();
  setTimeout(() => stop.abort(new Error('interrupted')), 20);
  await expect(reading).rejects.toThrow('interrupted');
});

it('lets the copying of records end while the cluster is gone', async () => {
  const gone: Pick<Streams, 'readAll'> = {
    async *readAll() {
      throw new StreamsError('store', 'no broker answers');
    },
  };
  const { notes, ...around } = surroundings();
  const folder = mkdtempSync(join(tmpdir(), 'mpa-keeper-'));
  const keeper = new RecordKeeper(patientStreams(gone as Streams, around), folder, around.progress);
  await expect.poll(() => notes).toContainEqual(expect.stringMatching(/the cluster is gone/));
  await keeper.close();
  rmSync(folder, { recursive: true });
});
