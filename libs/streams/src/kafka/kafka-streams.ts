import { checkRecord, checkTopic } from '../check-record.js';
import { systemClock, type Clock } from '../clock.js';
import type { OutgoingRecord, StreamRecord } from '../record.js';
import type { Consumer, ConsumerOptions, Lag, ReadOptions, Streams } from '../streams.js';
import { StreamsError } from '../streams-error.js';
import { compressionOf, kafkaClient } from './kafka-client.js';
import { KafkaConsumer } from './kafka-consumer.js';
import type { KafkaCredentials, KafkaOptions } from './kafka-options.js';
import { parseKafkaPlace } from './kafka-place.js';
import { KafkaTopics } from './kafka-topics.js';
import { TopicReaders } from './topic-readers.js';
import { TopicWriter } from './topic-writer.js';

/** What is passed in beside the configuration. */
export interface KafkaSurroundings {
  readonly credentials?: KafkaCredentials | undefined;
  readonly clock?: Clock;
}

/**
 * Streams on Apache Kafka at `kafka://HOST:PORT,.../PREFIX`, for processes of any number of machines. Connects when first used.
 * What a handler sends and its position are one transaction; `Producer.send` writes an id once; `lag` counts offsets, which
 * transactions' markers take part of, so it is 0 exactly when all is committed, and else a little more than the records.
 * Throws StreamsError `store` for a place or settings that cannot be used.
 */
export function openKafkaStreams(
  place: string,
  options: KafkaOptions,
  { credentials, clock = systemClock }: KafkaSurroundings = {},
): Streams {
  const { brokers, prefix } = parseKafkaPlace(place);
  const kafka = kafkaClient(brokers, options, credentials);
  const topics = new KafkaTopics(kafka, prefix, options);
  const transactions = { topics, compression: compressionOf(options) };
  const readers = new TopicReaders(kafka, topics);
  const writers = new Map<string, TopicWriter>();
  const consumers = new Set<Consumer>();
  let closing: Promise<void> | undefined;

  async function send(
    topic: string,
    records: readonly OutgoingRecord[],
  ): Promise<{ written: number; duplicates: number }> {
    if (closing) throw new StreamsError('closed', 'the streams are closed');
    checkTopic(topic);
    for (const record of records) checkRecord(topic, record);
    const writer =
      writers.get(topic) ?? new TopicWriter(kafka, topic, transactions, (from) => readAll(topic, { from }));
    writers.set(topic, writer);
    return writer.write(records);
  }

  function consumer(group: string, names: readonly string[], settings: ConsumerOptions = {}): Consumer {
    names.forEach(checkTopic);
    const made = new KafkaConsumer({ kafka, transactions, options, clock }, group, [...new Set(names)], settings);
    consumers.add(made);
    return made;
  }

  async function* readAll(topic: string, { from, signal }: ReadOptions = {}): AsyncIterable<StreamRecord> {
    const ranges = await topics.ranges(topic);
    const stretches = ranges.map(({ partition, low, end }) => ({
      partition,
      from: Math.max(low, from?.get(partition) ?? 0),
      end,
    }));
    for await (const records of readers.read(topic, stretches, signal)) {
      // yield* would take three times as long.
      for (const record of records) yield record;
    }
  }

  async function count(topic: string): Promise<number> {
    let records = 0;
    for await (const record of readAll(topic)) {
      void record;
      records += 1;
    }
    return records;
  }

  async function lag(group: string, topic: string): Promise<Lag> {
    const ranges = await topics.ranges(topic);
    const read = ranges.length === 0 ? new Map<number, number>() : await topics.committed(group, topic);
    const partitions = ranges.map(({ partition, low, end }) => ({
      partition,
      committed: Math.max(low, read.get(partition) ?? 0),
      end,
    }));
    return { lag: partitions.reduce((sum, { committed, end }) => sum + Math.max(0, end - committed), 0), partitions };
  }

  async function closeAll(): Promise<void> {
    await Promise.all([...consumers].map((each) => each.stop()));
    await Promise.all([...writers.values()].map((writer) => writer.close()));
    await readers.close();
    await topics.close();
  }

  return { producer: { send }, consumer, readAll, count, lag, close: () => (closing ??= closeAll()) };
}
