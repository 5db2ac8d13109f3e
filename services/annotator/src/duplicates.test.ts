import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnnotationSchema, AnnotationStatus, create, Task } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { openEmbeddedStreams, type Streams } from '@mpa/streams';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Duplicates } from './duplicates.js';

const NEAR = { match: 'near', distance: 2 } as const;
const CHARTS = Task.CHARTQA;

describe('Duplicates', () => {
  let folder: string;
  let streams: Streams;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mpa-duplicates-'));
    streams = openEmbeddedStreams(folder);
  });
  afterEach(async () => {
    await streams.close();
    rmSync(folder, { recursive: true });
  });

  async function written(sampleId: string, fingerprint: bigint, duplicateOf = ''): Promise<void> {
    const status = duplicateOf === '' ? AnnotationStatus.ANNOTATED : AnnotationStatus.SKIPPED;
    const annotation = create(AnnotationSchema, { sampleId, task: CHARTS, status, fingerprint, duplicateOf });
    await streams.producer.send(topics.annotations.name, [topics.annotations.record(sampleId, annotation)]);
  }

  it('names the first of those that look alike, for each task by itself', () => {
    const duplicates = new Duplicates(streams, NEAR);
    expect(duplicates.claim(CHARTS, 'a', 0b0000n)).toBeUndefined();
    expect(duplicates.claim(CHARTS, 'b', 0b0011n)).toBe('a');
    expect(duplicates.claim(CHARTS, 'c', 0b0111n)).toBeUndefined();
    expect(duplicates.claim(CHARTS, 'd', 0b0110n)).toBe('c');
    expect(duplicates.claim(Task.OKVQA, 'e', 0b0000n)).toBeUndefined();
    // Delivered again.
    expect(duplicates.claim(CHARTS, 'a', 0b0000n)).toBeUndefined();
  });

  it('decides as before when it goes on from what was written', async () => {
    await written('a', 0b0000n);
    await written('b', 0b0001n, 'a');
    const duplicates = new Duplicates(streams, NEAR);
    await duplicates.refresh();
    expect(duplicates.claim(CHARTS, 'c', 0b0010n)).toBe('a');
  });

  it('keeps the sample that stands for another, though its own record was lost', async () => {
    // `a` was claimed, `b` was written, and then the annotator was killed.
    await written('b', 0b0011n, 'a');
    const duplicates = new Duplicates(streams, NEAR);
    await duplicates.refresh();
    expect(duplicates.claim(CHARTS, 'c', 0b10000n)).toBeUndefined();
    expect(duplicates.claim(CHARTS, 'a', 0b0000n)).toBeUndefined();
    expect(duplicates.claim(CHARTS, 'd', 0b0001n)).toBe('a');
  });

  it('sees what another annotator has written', async () => {
    const [one, other] = [new Duplicates(streams, NEAR), new Duplicates(streams, NEAR)];
    expect(one.claim(CHARTS, 'a', 0n)).toBeUndefined();
    await written('a', 0n);
    await other.refresh();
    expect(other.claim(CHARTS, 'b', 1n)).toBe('a');
    await one.refresh();
    expect(one.claim(CHARTS, 'a', 0n)).toBeUndefined();
  });

  it('looks at bytes or at what is seen, or at nothing', () => {
    const image = { width: 1, height: 1, data: Uint8Array.of(1, 2, 3) };
    const of = (match: 'off' | 'exact' | 'near', bytes: string): bigint | undefined =>
      new Duplicates(streams, { match, distance: 4 }).fingerprint(Buffer.from(bytes), image);
    expect(of('off', 'a')).toBeUndefined();
    expect(of('exact', 'a')).not.toBe(of('exact', 'b'));
    expect(of('near', 'a')).toBe(of('near', 'b'));
  });
});
