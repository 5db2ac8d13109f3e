import type { Kafka } from 'kafkajs';
import { keyOf } from '../group-consumer.js';
import type { StreamRecord } from '../record.js';
import { StreamsError } from '../streams-error.js';
import type { KafkaTopics } from './kafka-topics.js';
import { TopicReader, type Stretch } from './topic-reader.js';

/**
 * The readers of a client: one that is done serves again, for joining takes time. What is known to hold no record, such as the
 * marks of transactions at the end of a partition, is not read again.
 */
export class TopicReaders {
  /** By topic and partition. */
  readonly #empty = new Map<string, Stretch>();
  readonly #idle = new Map<string, TopicReader[]>();
  readonly #all = new Set<TopicReader>();
  #closed = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly topics: KafkaTopics,
  ) {}

  /** The records of the stretches, as many at a time as come together. Throws StreamsError `closed`, `store`. */
  async *read(topic: string, wanted: readonly Stretch[], signal?: AbortSignal): AsyncIterable<readonly StreamRecord[]> {
    if (this.#closed) throw new StreamsError('closed', 'the streams are closed');
    const stretches = wanted.filter((stretch) => !this.#isEmpty(topic, stretch));
    if (stretches.length === 0) return;
    const next = new Map(stretches.map(({ partition, from }) => [partition, from]));
    const reader = this.#idleReader(topic) ?? (await this.#open(topic));
    let isDone = false;
    try {
      for await (const records of reader.read(stretches, signal)) {
        const last = records.at(-1)!;
        next.set(last.partition, last.offset + 1);
        yield records;
      }
      for (const { partition, end } of stretches) {
        this.#empty.set(keyOf({ topic, partition }), { partition, from: next.get(partition)!, end });
      }
      isDone = true;
    } finally {
      // One that was broken off may have something under way, from further on than the next reading begins.
      if (isDone) this.#idle.set(topic, [...(this.#idle.get(topic) ?? []), reader]);
      else void reader.close().finally(() => this.#all.delete(reader));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((reader) => reader.close()));
  }

  #isEmpty(topic: string, { partition, from, end }: Stretch): boolean {
    const empty = this.#empty.get(keyOf({ topic, partition }));
    return from >= end || (empty !== undefined && empty.from <= from && end <= empty.end);
  }

  /** One that is done and has not failed since. */
  #idleReader(topic: string): TopicReader | undefined {
    const idle = this.#idle.get(topic) ?? [];
    for (let reader = idle.pop(); reader; reader = idle.pop()) {
      if (!reader.failed) return reader;
      this.#all.delete(reader);
    }
    return undefined;
  }

  async #open(topic: string): Promise<TopicReader> {
    const reader = await TopicReader.open(this.kafka, topic, this.topics);
    this.#all.add(reader);
    return reader;
  }
}
