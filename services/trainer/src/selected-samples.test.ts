import { topics } from '@mpa/service-kit';
import { openEmbeddedStreams } from '@mpa/streams';
import { DecisionStatus } from '@mpa/contracts';
import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readSelected } from './selected-samples.js';
import { decision, newRun, RUN_ID } from './test-run.fixture.js';

const COUNT = 25;
const ids = Array.from({ length: COUNT }, (_, i) => `sample-${i}`).sort();

it('takes each sample once, by its first decision, and leaves out what is no decision', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpa-selected-'));
  const streams = openEmbeddedStreams(folder);
  try {
    const record = (id: number, fields: Parameters<typeof decision>[1], attempt: string) =>
      // The same sample under another record's id, as two deliveries of one annotation give it on Kafka.
      topics.decisions.record(`sample-${id}`, decision(id, fields), { id: `sample-${id}/${attempt}` });
    await streams.producer.send(topics.decisions.name, [
      record(2, { answer: 'first' }, 'first'),
      record(1, { status: DecisionStatus.REJECTED, weight: 0 }, 'first'),
      { key: 'garbage', value: Buffer.from('no protobuf at all') },
    ]);
    await streams.producer.send(topics.decisions.name, [
      record(2, { answer: 'second' }, 'second'),
      record(1, {}, 'second'),
      record(0, {}, 'first'),
    ]);
    const { decisions } = await readSelected(streams, RUN_ID);
    expect(decisions.map(({ sampleId, answer }) => [sampleId, answer])).toEqual([
      ['sample-0', decision(0).answer],
      ['sample-2', 'first'],
    ]);
  } finally {
    await streams.close();
    rmSync(folder, { recursive: true });
  }
});

it.each([
  { maxSamples: undefined, taken: COUNT },
  { maxSamples: COUNT, taken: COUNT },
  // Fewer than half: more come than memory may hold.
  { maxSamples: 4, taken: 4 },
  { maxSamples: 20, taken: 20 },
])('takes the first $taken by id where at most $maxSamples are wanted, and the others are counted', async (wanted) => {
  const { maxSamples, taken } = wanted;
  const folder = await newRun(async () => Array.from({ length: COUNT }, (_, i) => decision(i)));
  const streams = openEmbeddedStreams(join(folder, 'streams'));
  const { decisions, surplus } = await readSelected(streams, RUN_ID, { maxSamples });
  expect(decisions.map(({ sampleId }) => sampleId)).toEqual(ids.slice(0, taken));
  expect(surplus).toBe(COUNT - taken);
  await streams.close();
  await rm(folder, { recursive: true });
});
