import { randomUUID } from 'node:crypto';
import { CompressionTypes, type ConsumerConfig, type ConsumerGroupJoinEvent, type Kafka } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.js';
import type { ConsumerEvent, Streams } from '../streams.js';
import { kafkaClient } from './kafka-client.js';
import { KafkaConsumer } from './kafka-consumer.js';
import { kafkaOptions } from './kafka-options.js';
import { formatKafkaPlace } from './kafka-place.js';
import { openKafkaStreams } from './kafka-streams.js';
import { KafkaTopics } from './kafka-topics.js';

const options = kafkaOptions.parse({ partitions: 1, heartbeatIntervalMs: 200 });

/** The tests of what kafkajs and brokers do to a member of a group now and then, done to it on purpose. */
export function describeMembership(brokers: () => readonly string[]): void {
  describe('a member of a group', () => {
    let prefix: string;
    let kafka: Kafka;
    let topics: KafkaTopics;
    let streams: Streams;
    let seen: string[];
    let events: ConsumerEvent[];
    beforeEach(() => {
      prefix = randomUUID();
      kafka = kafkaClient(brokers(), options, undefined);
      topics = new KafkaTopics(kafka, prefix, options);
      streams = openKafkaStreams(formatKafkaPlace({ brokers: brokers(), prefix }), options);
      [seen, events] = [[], []];
    });
    afterEach(async () => {
      await topics.close();
      await streams.close();
    });

    const send = (key: string): Promise<unknown> => streams.producer.send('in', [{ key, value: Uint8Array.of(1) }]);
    const isSeen = (...keys: string[]): Promise<void> => expect.poll(() => seen, { timeout: 30_000 }).toEqual(keys);

    /** Reads the topic `in` by `client`; its stop. */
    function consume(client: Kafka): () => Promise<void> {
      const transactions = { topics, compression: CompressionTypes.None };
      const onEvent = (event: ConsumerEvent): void => void events.push(event);
      const context = { kafka: client, transactions, options, clock: systemClock };
      const consumer = new KafkaConsumer(context, 'g', ['in'], { concurrency: 2, onEvent });
      const running = consumer.run(async ({ records }) => void seen.push(...records.map(({ key }) => key)));
      return async () => {
        await consumer.stop();
        await running;
      };
    }

    it('goes on when a request to join anew failed and it stays what it was', async () => {
      const client = Object.create(kafka) as Kafka;
      let config: ConsumerConfig | undefined;
      client.consumer = (given) => kafka.consumer((config = given));
      await send('a');
      const stop = consume(client);
      await isSeen('a');
      // As kafkajs asks for it before every request.
      const [assigner] = config!.partitionAssigners!;
      assigner!({ cluster: undefined as never, groupId: 'g', logger: kafka.logger() }).protocol({ topics: [] });
      await send('b');
      await isSeen('a', 'b');
      await stop();
    });

    it('keeps a partition that it lost and got again when a commit of before fails late', async () => {
      const client = Object.create(kafka) as Kafka;
      let joined: ((event: ConsumerGroupJoinEvent) => void) | undefined;
      client.consumer = (config) => {
        const consumer = kafka.consumer(config);
        const on = (name: string, listener: (event: never) => void): unknown => {
          if (name === consumer.events.GROUP_JOIN) joined = listener as typeof joined;
          return consumer.on(name as never, listener as never);
        };
        return { ...consumer, on } as typeof consumer;
      };
      let goOn!: () => void;
      const late = new Promise<void>((resolve) => (goOn = resolve));
      let commits = 0;
      client.producer = (config) => {
        const producer = kafka.producer(config);
        const transaction = async (): ReturnType<typeof producer.transaction> => {
          const real = await producer.transaction();
          return { ...real, commit: () => ((commits += 1) === 1 ? late.then(() => real.commit()) : real.commit()) };
        };
        return { ...producer, transaction };
      };
      await send('a');
      const stop = consume(client);
      await expect.poll(() => commits, { timeout: 30_000 }).toBe(1);
      joined!({ payload: { memberId: 'another', memberAssignment: { [topics.nameOf('in')]: [0] } } } as never);
      await isSeen('a', 'a');
      await expect.poll(() => streams.lag('g', 'in'), { timeout: 30_000 }).toMatchObject({ lag: 0 });
      goOn();
      await expect.poll(() => events.map(({ kind }) => kind), { timeout: 30_000 }).toContain('stale');
      await send('b');
      await isSeen('a', 'a', 'b');
      await stop();
    });
  });
}
