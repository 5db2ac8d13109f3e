import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, createClient, ImageRecordSchema, WorkerService } from '@mpa/contracts';
import { openEmbeddedStreams } from '@mpa/streams';
import { expect, it } from 'vitest';
import { echo } from './echo-service.fixture.js';
import { createLogger } from './logger.js';
import { startInProcess } from './start-service.js';
import { topics } from './topics.js';

const logger = createLogger('test', 'silent');
const images = Array.from({ length: 30 }, (_, i) => create(ImageRecordSchema, { sampleId: `s${i}` }));

async function countCopies(streams: ReturnType<typeof openEmbeddedStreams>): Promise<number> {
  const ids = new Set<string>();
  for await (const record of streams.readAll('copies')) ids.add(record.id);
  return ids.size;
}

it('works on a log while it is called, and hands over to the next caller', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpa-worker-'));
  const streams = openEmbeddedStreams(folder);
  const shared = () => ({ streams, release: () => Promise.resolve() });
  const metrics = { listen: '127.0.0.1:0' };
  const running = await startInProcess(echo, { greeting: '', pauseMs: 20, metrics } as never, { logger, openStreams: shared }); // prettier-ignore
  const page = async (): Promise<string> => (await fetch(running.metricsUrl!)).text();
  const worker = createClient(WorkerService, running.address);
  try {
    const sent = images.map((image) => topics.images.record(image.sampleId, image));
    await streams.producer.send(topics.images.name, sent.slice(0, 10));
    for await (const { outcomes, seconds } of worker.consume({ streams: folder })) {
      expect(outcomes['copied']).toBeGreaterThan(0);
      expect(seconds).toBeGreaterThan(0.01);
      break;
    }
    const broken = { key: 'broken', value: Uint8Array.of(255) };
    await streams.producer.send(topics.images.name, [...sent.slice(10), broken]);
    let copied = 0;
    for await (const { outcomes } of worker.consume({ streams: folder })) {
      // A batch of nothing but the broken record has no outcome.
      expect(outcomes['copied'] ?? 1).toBeGreaterThan(0);
      copied = await countCopies(streams);
      if (copied === images.length && (await streams.count('images.dead')) === 1) break;
    }
    expect(copied).toBe(images.length);
    const counted = await page();
    expect(counted).toMatch(/mpa_dead_letters_total\{stage="echo"\} [1-9]/);
    const done = Number(/mpa_stage_records_total\{outcome="copied",stage="echo"\} (\d+)/.exec(counted)?.[1]);
    // What a caller that hung up did not wait for comes again, and counts again.
    expect(done).toBeGreaterThanOrEqual(images.length);
    expect(counted).toContain('mpa_stage_batch_limit_records{stage="echo"} 4');
    expect(counted).not.toContain('mpa_consumer_lag_records{');

    await expect(worker.consume({})[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });

    const idle = worker.consume({ streams: folder })[Symbol.asyncIterator]().next();
    const ended = expect(idle).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect
      .poll(page)
      .toMatch(/mpa_consumer_lag_records\{group="echo",topic="images",partition="0",stage="echo"\} 0/);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await running.stop();
    await ended;
  } finally {
    worker.close();
    await running.stop();
    await streams.close();
    rmSync(folder, { recursive: true });
  }
});
