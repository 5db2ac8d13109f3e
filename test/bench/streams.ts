import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { formatKafkaPlace, kafkaOptions, openKafkaStreams, type KafkaPlace, type Streams } from '@mpa/streams';
import { hasKafka, kafkaReleases, startBroker } from '@mpa/streams/testing';
import { printKafkaPerformance } from './kafka-performance.js';
import { CompressionTypes, Kafka, logLevel, type Message, type Producer } from 'kafkajs';

const WORKER = new URL('./streams-worker.js', import.meta.url).pathname;
const PARTITIONS = 16;
const WORKERS = 8;
/** A stand-in for a model: milliseconds on a record, and records in a batch. */
const STAGE = { recordMs: 50, batch: 4 };
const WINDOW_MS = 15_000;
const RECORDS = 60_000;
const SEND = 500;
const BATCH = 250;
const VALUE_BYTES = 1_000;

/** What streams on Kafka cost beside bare kafkajs, and how they scale out; each line with what was aimed for. */
export async function benchStreams(): Promise<void> {
  if (!hasKafka) return console.log('streams: not measured, there is no Kafka');
  const broker = await startBroker(kafkaReleases.at(-1)!);
  try {
    const { brokers } = broker;
    const places = { ours: { brokers, prefix: 'ours' }, bare: { brokers, prefix: 'bare' } };
    const wrote = { ours: await writeOurs(places.ours), bare: await writeBare(places.bare) };
    report(`write ${RECORDS} records of ${VALUE_BYTES} bytes`, wrote);
    const copied = { ours: await copyOurs(places.ours), bare: await copyBare(places.bare) };
    report(`copy them, a transaction every ${BATCH} at most`, copied);
    const read = await readOurs(places.ours);
    report('connect and read them', { ours: read, bare: await readBare(places.bare) });
    await printKafkaPerformance(brokers[0]!, { records: RECORDS, bytes: VALUE_BYTES, partitions: PARTITIONS });
    await scaleOut({ brokers, prefix: 'scale' });
  } finally {
    await broker.stop();
  }
}

function report(what: string, seconds: { ours: number; bare: number }): void {
  const [ours, bare] = [RECORDS / seconds.ours, RECORDS / seconds.bare];
  const verdict = ours >= 0.9 * bare ? 'reached' : 'missed';
  const share = `${((100 * ours) / bare).toFixed(0)} %`;
  const megabytes = (rate: number): string =>
    `${rate.toFixed(0)} a second (${((rate * VALUE_BYTES) / 1e6).toFixed(1)} MB/s)`;
  console.log(`streams: ${what}: ${megabytes(ours)}, bare kafkajs ${megabytes(bare)}: ${share}   aim 90 % ${verdict}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

const options = kafkaOptions.parse({ partitions: PARTITIONS, sessionTimeoutMs: 10_000 });

/** So many as are sent at once, the same on both sides; gzip makes half of their values. */
function records(from: number): { key: string; value: Buffer }[] {
  return Array.from({ length: SEND }, (_, i) => {
    const key = `sample-${from + i}`;
    const value = createHash('shake256', { outputLength: VALUE_BYTES / 2 })
      .update(key)
      .digest('hex');
    return { key, value: Buffer.from(value) };
  });
}

async function writeOurs(place: KafkaPlace): Promise<number> {
  const streams = openKafkaStreams(formatKafkaPlace(place), options);
  await streams.producer.send('in', [{ key: 'first', value: new Uint8Array() }]);
  const seconds = await timed(async () => {
    for (let i = 0; i < RECORDS; i += SEND) await streams.producer.send('in', records(i));
  });
  await streams.close();
  return seconds;
}

function kafkaOf({ brokers }: KafkaPlace): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
}

async function transactional(kafka: Kafka, transactionalId: string): Promise<Producer> {
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  return producer;
}

async function inTransaction(
  producer: Producer,
  topic: string,
  messages: Message[],
  offsets?: { group: string; topic: string; partition: number; offset: string },
): Promise<void> {
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages, compression: CompressionTypes.GZIP });
  if (offsets) {
    const { group, partition, offset } = offsets;
    await transaction.sendOffsets({
      consumerGroupId: group,
      topics: [{ topic: offsets.topic, partitions: [{ partition, offset }] }],
    });
  }
  await transaction.commit();
}

async function writeBare(place: KafkaPlace): Promise<number> {
  const kafka = kafkaOf(place);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: ['bare.in', 'bare.out'].map((topic) => ({ topic, numPartitions: PARTITIONS })),
    waitForLeaders: true,
  });
  await admin.disconnect();
  const producer = await transactional(kafka, 'bare.writer');
  const seconds = await timed(async () => {
    for (let i = 0; i < RECORDS; i += SEND) await inTransaction(producer, 'bare.in', records(i));
  });
  await producer.disconnect();
  return seconds;
}

async function copyOurs(place: KafkaPlace): Promise<number> {
  const streams = openKafkaStreams(formatKafkaPlace(place), options);
  const consumer = streams.consumer('copy', ['in'], { maxRecords: BATCH });
  let copied = 0;
  const seconds = await timed(async () => {
    const running = consumer.run(async (batch) => {
      for (const { key, value } of batch.records) batch.send('out', { key, value });
      copied += batch.records.length;
    });
    while (copied < RECORDS) await pause(5);
    await consumer.stop();
    await running;
  });
  await streams.close();
  return seconds;
}

/** The same guarantees with kafkajs alone: a transactional producer for each partition, and offsets in the transaction. */
async function copyBare(place: KafkaPlace): Promise<number> {
  const kafka = kafkaOf(place);
  const producers = new Map<number, Producer>();
  const consumer = kafka.consumer({ groupId: 'bare.copy', sessionTimeout: 10_000, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: ['bare.in'], fromBeginning: true });
  let copied = 0;
  const seconds = await timed(async () => {
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages }, resolveOffset, heartbeat }) => {
        const producer = producers.get(partition) ?? (await transactional(kafka, `bare.copy.${partition}`));
        producers.set(partition, producer);
        for (let i = 0; i < messages.length; i += BATCH) {
          const part = messages.slice(i, i + BATCH);
          const offset = String(Number(part.at(-1)!.offset) + 1);
          const records = part.map(({ key, value }) => ({ key, value }));
          await inTransaction(producer, 'bare.out', records, {
            group: 'bare.copy',
            topic: 'bare.in',
            partition,
            offset,
          });
          resolveOffset(part.at(-1)!.offset);
          await heartbeat();
          copied += part.length;
        }
      },
    });
    while (copied < RECORDS) await pause(5);
  });
  await consumer.disconnect();
  await Promise.all([...producers.values()].map((producer) => producer.disconnect()));
  return seconds;
}

/** From the connection on, as whoever reads a topic once has it, with the joining of a group of its own. */
async function readOurs(place: KafkaPlace): Promise<number> {
  const streams = openKafkaStreams(formatKafkaPlace(place), options);
  let read = 0;
  const seconds = await timed(async () => {
    for await (const record of streams.readAll('in')) read += record.value.length > 0 ? 1 : 0;
  });
  await streams.close();
  if (read !== RECORDS) throw new Error(`${read} of ${RECORDS} records were read`);
  return seconds;
}

async function readBare(place: KafkaPlace): Promise<number> {
  const consumer = kafkaOf(place).consumer({ groupId: 'bare.read', maxWaitTimeInMs: 100 });
  let read = 0;
  const seconds = await timed(async () => {
    await consumer.connect();
    await consumer.subscribe({ topics: ['bare.in'], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch: async ({ batch: { messages } }) => void (read += messages.length) }); // prettier-ignore
    while (read < RECORDS) await pause(5);
  });
  await consumer.disconnect();
  return seconds;
}

/** The rate of one worker and of eight, each a process, with a stage that costs the same for every record. */
async function scaleOut(place: KafkaPlace): Promise<void> {
  const streams = openKafkaStreams(formatKafkaPlace(place), options);
  const needed = 4 * ((WINDOW_MS * WORKERS) / STAGE.recordMs);
  for (let i = 0; i < needed; i += SEND) {
    await streams.producer.send('in', records(i));
  }
  const one = await rateOf(streams, place, 1);
  const many = await rateOf(streams, place, WORKERS);
  await streams.close();
  const verdict = many >= 7 * one ? 'reached' : 'missed';
  const figures = `${one.toFixed(1)} and ${many.toFixed(1)} a second: ${(many / one).toFixed(2)}x`;
  console.log(
    `streams: one worker and ${WORKERS} on ${PARTITIONS} partitions, ${STAGE.recordMs} ms a record: ${figures}   aim 7x ${verdict}`,
  );
}

async function rateOf(streams: Streams, place: KafkaPlace, count: number): Promise<number> {
  const workers = Array.from({ length: count }, () => startWorker(formatKafkaPlace(place)));
  await Promise.all(workers.map(({ working }) => working));
  // The last one to join made all pause for a moment.
  await pause(3_000);
  const before = (await streams.lag('stage', 'in')).lag;
  const began = performance.now();
  await pause(WINDOW_MS);
  const done = before - (await streams.lag('stage', 'in')).lag;
  const seconds = (performance.now() - began) / 1000;
  for (const { child } of workers) child.kill('SIGTERM');
  await Promise.all(workers.map(({ child }) => once(child, 'exit')));
  return done / seconds;
}

function startWorker(place: string): { child: ChildProcess; working: Promise<unknown> } {
  const args = [WORKER, place, JSON.stringify(options), JSON.stringify(STAGE)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return { child, working: once(child.stdout, 'data') };
}
