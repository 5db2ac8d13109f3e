import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasKafka, kafkaReleases, startBroker, type Broker } from './broker.fixture.js';
import { kafkaOptions } from './kafka-options.js';
import { formatKafkaPlace, parseKafkaPlace } from './kafka-place.js';
import { openKafkaStreams } from './kafka-streams.js';
import { checkTopics } from './manage-topics.js';
import type { BatchHandler } from '../streams.js';
import type { StreamsError } from '../streams-error.js';

const COUNT = 200;

// It kills brokers, so not on a cluster that is given.
describe.skipIf(!hasKafka || kafkaReleases.length === 1)('a cluster of three', () => {
  let data: string;
  let broker: Broker;
  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'mpa-kafka-three-'));
    broker = await startBroker(kafkaReleases.at(-1)!, ['--nodes', '3', '--data', data]);
  }, 600_000);
  afterAll(async () => {
    await broker?.stop();
    rmSync(data, { recursive: true });
  });

  it('may lose a broker in the middle of the work: every record still has one effect', async () => {
    const place = formatKafkaPlace({ brokers: broker.brokers, prefix: randomUUID() });
    const options = { partitions: 6, replication: 3, sessionTimeoutMs: 6_000, heartbeatIntervalMs: 500 };
    const streams = openKafkaStreams(place, kafkaOptions.parse(options));
    const keys = Array.from({ length: COUNT }, (_, i) => `key-${i}`);
    await streams.producer.send(
      'in',
      keys.map((key) => ({ key, value: Buffer.from(key) })),
    );
    let batches = 0;
    const handler: BatchHandler = async (batch) => {
      batches += 1;
      if (batches === 10) process.kill(Number(readFileSync(join(data, 'node-2', 'pid'), 'utf8')), 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 50));
      // An id of this very attempt: a second effect would show as a second record.
      for (const { key, value } of batch.records) batch.send('out', { key, id: `${key}|${batches}`, value });
    };
    let isOver = false;
    let consumer = streams.consumer('g', ['in'], { maxRecords: 2 });
    // As whoever asks a worker does: a consumer may end when the broker goes that it talks to, and another one goes on.
    const work = async (): Promise<void> => {
      for (;;) {
        await consumer.run(handler).catch((error: StreamsError) => expect(error.code).toBe('store'));
        if (isOver) return;
        consumer = streams.consumer('g', ['in'], { maxRecords: 2 });
      }
    };
    const running = work();
    const outputs = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { key } of streams.readAll('out')) found.push(key);
      return found;
    };
    await expect.poll(async () => (await outputs()).length, { timeout: 180_000, interval: 500 }).toBe(COUNT);
    isOver = true;
    await consumer.stop();
    await running;
    expect((await outputs()).sort()).toEqual([...keys].sort());

    // A run may begin, or go on, meanwhile.
    const reportOn = async (): Promise<object | undefined> =>
      (await checkTopics(parseKafkaPlace(place), ['in'], kafkaOptions.parse(options)))[0];
    await expect.poll(reportOn, { timeout: 60_000, interval: 1000 }).toMatchObject({
      problems: [],
      warnings: [expect.stringMatching(/^\d partitions have copies that are behind$/)],
    });
    await streams.close();
  }, 240_000);
});
