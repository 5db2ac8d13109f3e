import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbeddedStreams } from '@mpa/streams';
import { describe, expect, it } from 'vitest';
import { readSelected } from './selected-samples.js';
import { decision, newRun, RUN_ID } from './test-run.fixture.js';

const COUNT = 25;
const ids = Array.from({ length: COUNT }, (_, i) => `sample-${i}`).sort();

describe('the selected samples of a run', () => {
  it.each([
    { maxSamples: undefined, taken: COUNT },
    { maxSamples: COUNT, taken: COUNT },
    // Fewer than half: more come than memory may hold.
    { maxSamples: 4, taken: 4 },
    { maxSamples: 20, taken: 20 },
  ])('are the first $taken by id where at most $maxSamples are wanted, and the others are counted', async (wanted) => {
    const { maxSamples, taken } = wanted;
    const folder = await newRun(async () => Array.from({ length: COUNT }, (_, i) => decision(i)));
    const streams = openEmbeddedStreams(join(folder, 'streams'));
    const { decisions, surplus } = await readSelected(streams, RUN_ID, { maxSamples });
    expect(decisions.map(({ sampleId }) => sampleId)).toEqual(ids.slice(0, taken));
    expect(surplus).toBe(COUNT - taken);
    await streams.close();
    await rm(folder, { recursive: true });
  });
});
