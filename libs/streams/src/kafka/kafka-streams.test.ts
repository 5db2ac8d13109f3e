import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompressionTypes, type Admin, type Kafka } from 'kafkajs';
import type { ConsumerEvent } from '../streams.js';
import { describeSeveralProcesses } from '../several-processes-contract.js';
import { describeStreamsContract } from '../streams-contract.js';
import { hasKafka, kafkaReleases, startBroker, type Broker } from './broker.fixture.js';
import { kafkaClient } from './kafka-client.js';
import { kafkaOptions } from './kafka-options.js';
import { formatKafkaPlace } from './kafka-place.js';
import { openKafkaStreams } from './kafka-streams.js';
import { KafkaTopics } from './kafka-topics.js';
import { createTopics } from './manage-topics.js';
import { describeMembership } from './membership-contract.js';
import { TopicWriter } from './topic-writer.js';

/** The shortest that brokers allow by default. */
const SESSION_MS = 6_000;
/** Seconds of work on a batch, and of a session: MPA_SLOW_BATCH=300/30 tries the full figures. */
const [slowSeconds = 0, sessionSeconds = 0] = (process.env['MPA_SLOW_BATCH'] ?? '20/6').split('/').map(Number);

describe.skipIf(!hasKafka).each(kafkaReleases)('Kafka %s', (release) => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker(release);
  }, 600_000);
  afterAll(() => broker.stop());

  describeStreamsContract(
    'Kafka',
    async () => {
      const place = formatKafkaPlace({ brokers: broker.brokers, prefix: randomUUID() });
      const options = kafkaOptions.parse({ partitions: 4, sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: 500 });
      return { open: async () => openKafkaStreams(place, options), remove: async () => undefined };
    },
    {
      readableWithinMoments: 'a transaction marks each partition that it wrote to, one after the other',
      lagIsUpperBound: 'offsets are counted, and the marks of transactions have offsets',
      handlersRepeatIds: 'brokers have no index of ids, and one for all workers would make them wait for each other',
    },
  );

  describeSeveralProcesses('Kafka', SESSION_MS, async () => {
    const place = formatKafkaPlace({ brokers: broker.brokers, prefix: randomUUID() });
    return { place, streams: openKafkaStreams(place, kafkaOptions.parse({})), remove: async () => undefined };
  });

  describeMembership(() => broker.brokers);

  it('finds out topics that were made otherwise, and has nothing against its own', async () => {
    const place = { brokers: broker.brokers, prefix: randomUUID() };
    const options = kafkaOptions.parse({ partitions: 2 });
    const admin = kafkaClient(broker.brokers, options, undefined).admin();
    await admin.connect();
    const settings = { 'retention.ms': '1000', 'message.timestamp.type': 'CreateTime' };
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic: `${place.prefix}.in`, numPartitions: 2, configEntries }] });
    await admin.disconnect();
    const [made, dead] = await createTopics(place, ['in'], options);
    expect(made!.problems).toEqual([expect.stringContaining('retention.ms=1000, not -1')]);
    expect(made!.warnings).toEqual([expect.stringContaining('timestamp.type=CreateTime, not LogAppendTime')]);
    expect(dead).toMatchObject({ partitions: 2, problems: [], warnings: [] });
  }, 60_000);

  it('leaves the group when the wall clock is set back, since signs of life would cease', async () => {
    let wall = 1e12;
    const clock = { wall: () => wall, monotonic: () => performance.now() };
    const place = formatKafkaPlace({ brokers: broker.brokers, prefix: randomUUID() });
    const streams = openKafkaStreams(place, kafkaOptions.parse({}), { clock });
    // A clock that is set back as soon as there is a partition to be lost.
    const onEvent = ({ kind }: ConsumerEvent): void => void (kind === 'assigned' && (wall -= 3_600_000));
    const running = streams.consumer('g', ['in'], { onEvent }).run(async () => undefined);
    await expect(running).rejects.toMatchObject({ code: 'store', retriable: true });
    await streams.close();
  }, 60_000);

  it.each([
    ['went through', true],
    ['was undone', false],
  ])('writes once, and says so, when the answer to a commit is lost that %s', async (_outcome, goesThrough) => {
    const place = { brokers: broker.brokers, prefix: randomUUID() };
    const options = kafkaOptions.parse({ partitions: 2 });
    const streams = openKafkaStreams(formatKafkaPlace(place), options);
    const kafka = kafkaClient(place.brokers, options, undefined);
    const topics = new KafkaTopics(kafka, place.prefix, options);
    let lost = 0;
    const flaky = losingAnswers(kafka, (commit, abort) => {
      lost += 1;
      if (lost > 1) return commit();
      return (goesThrough ? commit() : abort()).then(() => Promise.reject(new Error('the connection is gone')));
    });
    const transactions = { topics, compression: CompressionTypes.GZIP };
    const writer = new TopicWriter(flaky, 't', transactions, (from) => streams.readAll('t', { from }));
    const records = ['a', 'b', 'c'].map((key) => ({ key, value: Uint8Array.of(1) }));
    expect(await writer.write(records)).toEqual({ written: 3, duplicates: 0 });
    expect(await writer.write(records)).toEqual({ written: 0, duplicates: 3 });
    expect(await streams.count('t')).toBe(3);
    await writer.close();
    await topics.close();
    await streams.close();
  });

  it('asks for the topics that are looked at, not for all of the cluster, and once for those that are there', async () => {
    const options = kafkaOptions.parse({ partitions: 1 });
    const kafka = kafkaClient(broker.brokers, options, undefined);
    const asked: string[] = [];
    const client = withAdmin(kafka, (admin) => ({
      listTopics: () => admin.listTopics().finally(() => asked.push('all')),
      fetchTopicMetadata: (of) => {
        asked.push(...(of?.topics ?? ['all']));
        return admin.fetchTopicMetadata(of);
      },
    }));
    const prefix = randomUUID();
    const topics = new KafkaTopics(client, prefix, options);
    const other = openKafkaStreams(formatKafkaPlace({ brokers: broker.brokers, prefix }), options);
    expect(await topics.ranges('t')).toEqual([]);
    await other.producer.send('t', [{ key: 'k', value: Uint8Array.of(1) }]);
    for (let looks = 0; looks < 3; looks++) expect(await topics.ranges('t')).toMatchObject([{ partition: 0, low: 0 }]);
    expect(asked).toEqual([`${prefix}.t`, `${prefix}.t`]);
    await topics.close();
    await other.close();
  });

  it('asks one question at a time, and not only once when a topic seems to have no partitions', async () => {
    const options = kafkaOptions.parse({ partitions: 2 });
    const kafka = kafkaClient(broker.brokers, options, undefined);
    let asking = 0;
    const atOnce: number[] = [];
    const answered = new Set<string>();
    // What kafkajs makes of a topic that another question has taken out of its view: the first answer about each is empty.
    const clouded = async <T>(what: string, question: Promise<T[]>): Promise<T[]> => {
      atOnce.push(++asking);
      const answer = await question.finally(() => (asking -= 1));
      if (answered.has(what)) return answer;
      answered.add(what);
      return [];
    };
    const client = withAdmin(kafka, (admin) => ({
      fetchTopicOffsets: (topic) => clouded(`offsets ${topic}`, admin.fetchTopicOffsets(topic)),
      fetchOffsets: (of) => clouded(`position ${of.topics?.join()}`, admin.fetchOffsets(of)),
    }));
    const prefix = randomUUID();
    const streams = openKafkaStreams(formatKafkaPlace({ brokers: broker.brokers, prefix }), options);
    const names = ['t', 'u', 'v'];
    for (const name of names) await streams.producer.send(name, [{ key: 'k', value: Uint8Array.of(1) }]);
    const consumer = streams.consumer('g', names);
    const running = consumer.run(async () => undefined);
    for (const name of names) await expect.poll(async () => (await streams.lag('g', name)).lag).toBe(0);
    await consumer.stop();
    await running;
    const topics = new KafkaTopics(client, prefix, options);
    // Each is asked for twice, and both share the answer.
    const positions = Promise.all([...names, ...names].map((name) => topics.committed('g', name)));
    const ranges = await Promise.all(names.map((name) => topics.ranges(name)));
    for (const [i, position] of (await positions).entries()) {
      const range = ranges[i % names.length]!;
      expect(range).toHaveLength(2);
      expect(position).toEqual(new Map(range.map(({ partition, end }) => [partition, end])));
    }
    expect(atOnce).toEqual(Array.from({ length: 4 * names.length }, () => 1));
    await topics.close();
    await streams.close();
  });

  it('puts a record aside without its value when it is too large with the cause beside it', async () => {
    const place = formatKafkaPlace({ brokers: broker.brokers, prefix: randomUUID() });
    const streams = openKafkaStreams(place, kafkaOptions.parse({ partitions: 1, compression: 'none' }));
    // Just below what brokers take, 1 MiB and 12 bytes with the headers.
    const value = randomBytes(2 ** 20 - 400);
    await streams.producer.send('in', [{ key: 'large', value }]);
    const consumer = streams.consumer('g', ['in'], { attempts: 1 });
    const running = consumer.run(() => Promise.reject(new Error('x'.repeat(2_000))));
    await expect.poll(() => streams.lag('g', 'in'), { timeout: 30_000 }).toMatchObject({ lag: 0 });
    await consumer.stop();
    await running;
    await expect.poll(() => streams.count('in.dead'), { timeout: 30_000 }).toBe(1);
    for await (const record of streams.readAll('in.dead')) {
      expect(record).toMatchObject({ key: 'large', headers: { 'mpa-dead-offset': '0', 'mpa-dead-bytes': String(value.length) } }); // prettier-ignore
      expect(record.value).toHaveLength(0);
    }
    await streams.close();
  }, 60_000);

  it('fetches no more than the model takes', async () => {
    const place = formatKafkaPlace({ brokers: broker.brokers, prefix: randomUUID() });
    const streams = openKafkaStreams(place, kafkaOptions.parse({ partitions: 1, compression: 'none' }));
    const value = randomBytes(256 * 1024);
    for (let i = 0; i < 256; i += 4) {
      await streams.producer.send(
        'in',
        [i, i + 1, i + 2, i + 3].map((key) => ({ key: String(key), value })),
      );
    }
    let release!: () => void;
    const mayFinish = new Promise<void>((resolve) => (release = resolve));
    const consumer = streams.consumer('g', ['in'], { maxRecords: 1 });
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const running = consumer.run(() => mayFinish);
    for (let looks = 0; looks < 30; looks++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    release();
    await consumer.stop();
    await running;
    // 64 MiB wait there. A response holds a MiB or a batch, one is in work and one waits; the rest is what the garbage collector has not seen.
    expect(most).toBeLessThan(24 * 2 ** 20);
    await streams.close();
  }, 120_000);

  it(
    'keeps a partition while a batch takes longer than the session, and commits it once',
    async () => {
      const place = formatKafkaPlace({ brokers: broker.brokers, prefix: randomUUID() });
      const sessionTimeoutMs = sessionSeconds * 1000;
      const streams = openKafkaStreams(
        place,
        kafkaOptions.parse({ partitions: 2, sessionTimeoutMs, heartbeatIntervalMs: 1000 }),
      );
      await streams.producer.send('in', [{ key: 'slow', value: Uint8Array.of(1) }]);
      const events: ConsumerEvent[] = [];
      const consumer = streams.consumer('g', ['in'], { onEvent: (event) => events.push(event) });
      let deliveries = 0;
      const running = consumer.run(async (batch) => {
        deliveries += 1;
        await new Promise((resolve) => setTimeout(resolve, slowSeconds * 1000));
        batch.send('out', { key: 'slow', value: Uint8Array.of(2) });
      });
      await expect
        .poll(() => streams.lag('g', 'in'), { timeout: (slowSeconds + 60) * 1000, interval: 200 })
        .toMatchObject({ lag: 0 });
      expect(deliveries).toBe(1);
      expect(events.map(({ kind }) => kind)).toEqual(['assigned', 'assigned']);
      await consumer.stop();
      await running;
      await streams.close();
    },
    (slowSeconds + 120) * 1000,
  );

  // The last test, and not on a cluster that is given.
  if (kafkaReleases.length === 1 || release !== kafkaReleases.at(-1)) return;
  it('ends what reads when the cluster goes away, and nothing of it comes back', async () => {
    const place = formatKafkaPlace({ brokers: broker.brokers, prefix: randomUUID() });
    const streams = openKafkaStreams(place, kafkaOptions.parse({ partitions: 1, compression: 'none' }));
    // More than one response of a broker holds, so that a reading which has begun is not at its end.
    const values = Array.from({ length: 8 }, () => randomBytes(200 * 2 ** 10));
    await streams.producer.send(
      'in',
      values.map((value, i) => ({ key: String(i), value })),
    );
    const running = streams.consumer('g', ['in']).run(async () => undefined);
    const reading = streams.readAll('in')[Symbol.asyncIterator]();
    await reading.next();
    await expect.poll(() => streams.lag('g', 'in'), { timeout: 60_000 }).toMatchObject({ lag: 0 });
    await broker.stop();
    const readOn = async (): Promise<void> => {
      while (!(await reading.next()).done);
    };
    await Promise.all([running, readOn()].map((work) => expect(work).rejects.toMatchObject({ code: 'store' })));
    await streams.close();
    expect(await callersOf(broker.brokers[0]!, 2_000)).toBe(0);
  }, 120_000);
});

/** How many connections are made to an address, at which nobody listens, within milliseconds. */
async function callersOf(address: string, ms: number): Promise<number> {
  let callers = 0;
  const server = createServer((socket) => {
    callers += 1;
    socket.destroy();
  });
  const [host, port] = address.split(':');
  server.listen(Number(port), host);
  await new Promise((resolve) => setTimeout(resolve, ms));
  server.close();
  return callers;
}

/** A client whose admins do some things otherwise. */
function withAdmin(kafka: Kafka, otherwise: (admin: Admin) => Partial<Admin>): Kafka {
  const client = Object.create(kafka) as Kafka;
  client.admin = () => {
    const admin = kafka.admin();
    return { ...admin, ...otherwise(admin) };
  };
  return client;
}

/** A client whose producers' commits are what `commit` makes of the real ones. */
function losingAnswers(
  kafka: Kafka,
  commit: (really: () => Promise<void>, abort: () => Promise<void>) => Promise<void>,
): Kafka {
  const client = Object.create(kafka) as Kafka;
  client.producer = (config) => {
    const producer = kafka.producer(config);
    return {
      ...producer,
      async transaction() {
        const real = await producer.transaction();
        return { ...real, commit: () => commit(real.commit, real.abort) };
      },
    };
  };
  return client;
}
