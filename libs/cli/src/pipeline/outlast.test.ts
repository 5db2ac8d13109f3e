import { RpcError } from '@mpa/contracts';
import { StreamsError, type StreamRecord, type Streams } from '@mpa/streams';
import { expect, it } from 'vitest';
import { outlasting, Patience } from './outlast.js';
import { patientStreams } from './patient-streams.js';

const gone = new RpcError('UNAVAILABLE', 'connection dropped');

function surroundings(patience?: Patience) {
  const notes: string[] = [];
  const progress = { note: (text: string): void => void notes.push(text) };
  return { notes, progress, signal: new AbortController().signal, patienceSeconds: 600, ...(patience && { patience }) };
}

it('does work again until whoever is gone is back, and notes both once', async () => {
  const { notes, ...around } = surroundings();
  let calls = 0;
  const result = await outlasting(
    'the trainer',
    around,
  )(async () => {
    calls += 1;
    if (calls < 3) throw gone;
    return 'done';
  });
  expect(result).toBe('done');
  expect(notes).toEqual([
    'the trainer is gone (connection dropped); trying again until it is back',
    'the trainer is back',
  ]);
});

it('gives up when nothing was heard for long enough, and starts to count anew with every sign of life', async () => {
  const patience = new Patience(1.5);
  let calls = 0;
  const attempt = outlasting(
    'it',
    surroundings(patience),
  )(async (heard) => {
    calls += 1;
    if (calls < 4) heard();
    throw gone;
  });
  await expect(attempt).rejects.toBe(gone);
  // Three calls that were heard of, a second apart, and at least one more.
  expect(calls).toBeGreaterThan(3);
});

it('counts patience from the first failure, however long nobody was asked before', async () => {
  const attempt = outlasting('it', surroundings(new Patience(0.4)));
  await new Promise((resolve) => setTimeout(resolve, 500));
  let calls = 0;
  const work = async (): Promise<void> => {
    calls += 1;
    if (calls === 1) throw gone;
  };
  await attempt(work);
  expect(calls).toBe(2);
});

it.each([
  ['what a service refuses', new RpcError('FAILED_PRECONDITION', 'no such folder')],
  ['a budget that is used up', new RpcError('RESOURCE_EXHAUSTED', 'the budget of 17 requests is used up')],
  ['a bug', new TypeError('x is undefined')],
])('does not wait for %s', async (_, error) => {
  const { notes, ...around } = surroundings();
  await expect(outlasting('it', around)(() => Promise.reject(error))).rejects.toBe(error);
  expect(notes).toEqual([]);
});

it('stops waiting when it is interrupted', async () => {
  const stop = new AbortController();
  const attempt = outlasting('it', { ...surroundings(), signal: stop.signal })(() => Promise.reject(gone));
  setTimeout(() => stop.abort(), 50);
  await expect(attempt).rejects.toThrow();
});

it('goes on reading a topic behind the last record when the cluster failed on the way', async () => {
  const records = Array.from({ length: 6 }, (_, offset) => ({ topic: 't', partition: 0, offset }) as StreamRecord);
  let failures = 0;
  const failing: Pick<Streams, 'readAll'> = {
    async *readAll(_, options) {
      for (const record of records.slice(options?.from?.get(0) ?? 0)) {
        if (record.offset === 3 && failures < 2) {
          failures += 1;
          throw new StreamsError('store', 'no broker answers');
        }
        yield record;
      }
    },
  };
  const { notes, ...around } = surroundings();
  const read: number[] = [];
  for await (const { offset } of patientStreams(failing as Streams, around).readAll('t')) read.push(offset);
  expect(read).toEqual([0, 1, 2, 3, 4, 5]);
  expect(failures).toBe(2);
  expect(notes).toHaveLength(2);
});
