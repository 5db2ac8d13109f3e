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
  const running = await startInProcess(echo, { greeting: '', pauseMs: 20 }, { logger, openStreams: shared });
  const worker = createClient(WorkerService, running.address);
  try {
    const sent = images.map((image) => topics.images.record(image.sampleId, image));
    await streams.producer.send(topics.images.name, sent);
    for await (const { outcomes, seconds } of worker.consume({ streams: folder })) {
      expect(outcomes['copied']).toBeGreaterThan(0);
      expect(seconds).toBeGreaterThan(0.01);
      break;
    }
    let copied = 0;
    for await (const { outcomes } of worker.consume({ streams: folder })) {
      expect(outcomes['copied']).toBeGreaterThan(0);
      copied = await countCopies(streams);
      if (copied === images.length) break;
    }
    expect(copied).toBe(images.length);

    await expect(worker.consume({})[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });

    const idle = worker.consume({ streams: folder })[Symbol.asyncIterator]().next();
    const ended = expect(idle).rejects.toMatchObject({ code: 'UNAVAILABLE' });
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
