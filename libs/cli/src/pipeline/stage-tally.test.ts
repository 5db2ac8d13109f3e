import { StreamsError, type StreamRecord, type Streams } from '@mpa/streams';
import { expect, it } from 'vitest';
import { StageTally } from './stage-tally.js';

/** A stage from `in` to `out` whose records are written by hand; the id of a record on `out` begins with its outcome. */
function stage({ isLast = false } = {}) {
  const written: Record<string, StreamRecord[]> = { out: [], 'in.dead': [] };
  const streams: Pick<Streams, 'readAll'> = {
    async *readAll(topic, options) {
      yield* written[topic]!.slice(options?.from?.get(0) ?? 0);
    },
  };
  const passed: string[] = [];
  const tally = new StageTally(streams as Streams, {
    ...{ input: 'in', output: 'out', isPassed: (outcome) => outcome === 'good' },
    outcome: ({ value }) => {
      const outcome = Buffer.from(value).toString();
      if (outcome === '') throw new StreamsError('undecodable', 'no message');
      return outcome;
    },
    ...(!isLast && { onPassed: (id) => void passed.push(id) }),
  });
  const write = (topic: string, id: string, outcome = ''): void => {
    const records = written[topic]!;
    records.push({ ...{ topic, id, key: id, partition: 0, offset: records.length, headers: {}, timestamp: 0 }, value: Buffer.from(outcome) }); // prettier-ignore
  };
  return { tally, write, passed };
}

it('counts an input once, however often it was written, as what it was first', async () => {
  const { tally, write, passed } = stage();
  for (const id of ['a', 'b', 'a']) tally.expect(id);
  write('out', 'a', 'good');
  write('out', 'a', 'bad');
  await tally.refresh();
  write('out', 'a', 'good');
  write('out', 'b', 'bad');
  await tally.refresh();
  expect(tally).toMatchObject({ inputs: 2, done: 2, passedOn: 1, passedBy: { good: 1 }, lost: { bad: 1 } });
  expect(passed).toEqual(['a']);
});

it('leaves out what belongs to no input and what is no message, and takes an input that comes late', async () => {
  const { tally, write, passed } = stage();
  tally.expect('a');
  write('out', 'stranger', 'good');
  write('out', 'a');
  write('out', 'late', 'good');
  await tally.refresh();
  expect(tally).toMatchObject({ inputs: 1, done: 0 });
  tally.expect('late');
  write('out', 'a', 'good');
  await tally.refresh();
  expect(tally).toMatchObject({ inputs: 2, done: 2, passedOn: 2, lost: {} });
  expect(passed).toEqual(['late', 'a']);
});

it('counts as failed only what came out on no way', async () => {
  const { tally, write, passed } = stage();
  for (const id of ['a', 'b', 'c']) tally.expect(id);
  // Of `a` another record could not be processed, before and after it was.
  for (const id of ['a', 'b', 'early']) write('in.dead', id);
  await tally.refresh();
  expect(tally.lost).toEqual({ 'processing-failed': 2 });
  write('out', 'a', 'good');
  write('out', 'c', 'good');
  write('out', 'early', 'good');
  write('in.dead', 'c');
  await tally.refresh();
  tally.expect('early');
  expect(tally).toMatchObject({ done: 4, passedBy: { good: 3 }, lost: { 'processing-failed': 1 } });
  expect(passed).toEqual(['a', 'c', 'early']);
});

it('counts what was lost and passed later as passed where a next stage takes it up, and only there', async () => {
  const [handsOn, last] = [stage(), stage({ isLast: true })];
  for (const { tally, write } of [handsOn, last]) {
    tally.expect('a');
    for (const id of ['a', 'early']) for (const outcome of ['bad', 'good', 'bad']) write('out', id, outcome);
    await tally.refresh();
    tally.expect('early');
  }
  expect(handsOn.tally).toMatchObject({ done: 2, passedBy: { good: 2 }, lost: {} });
  expect(handsOn.passed).toEqual(['a', 'early']);
  expect(last.tally).toMatchObject({ done: 2, passedBy: {}, lost: { bad: 2 } });
});

it('counts inputs right however many reasons there are, the rarest under one name', async () => {
  const { tally, write } = stage();
  for (let i = 0; i < 300; i++) {
    tally.expect(`id-${i}`);
    write('out', `id-${i}`, i === 299 ? 'good' : `reason-${i}`);
  }
  await tally.refresh();
  expect(tally).toMatchObject({ inputs: 300, done: 300, passedBy: { good: 1 }, lost: { 'reason-0': 1 } });
  expect(tally.lost['other-reasons']).toBeGreaterThan(90);
});
