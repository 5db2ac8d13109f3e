import { Mutex } from 'async-mutex';
import type { Admin, Kafka } from 'kafkajs';
import { checkTopic } from '../check-record.js';
import { StreamsError } from '../streams-error.js';
import { isUnknownTopic, toStreamsError } from './kafka-error.js';
import type { KafkaOptions } from './kafka-options.js';

/** Where a partition begins and ends. */
export interface PartitionRange {
  readonly partition: number;
  /** Offset of the oldest record that is still there. */
  readonly low: number;
  /** Offset behind the last record that is committed. */
  readonly end: number;
}

/**
 * The settings of our topics that matter: records stay until the topic is removed, for a run's counts and its resuming need them,
 * and none is dropped because a later one has its key.
 */
export const TOPIC_SETTINGS = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' } as const;

/** Brokers write the time of a record: they refuse those of a writer whose clock is an hour ahead. */
export const BROKERS_CLOCK = { 'message.timestamp.type': 'LogAppendTime' } as const;

/** Offset behind the last record that was written to a partition. */
export interface WrittenEnd {
  readonly topic: string;
  readonly partition: number;
  readonly end: number;
}

const LOOK_EVERY_MS = 5;
const TRIES = 5;
const AGAIN_AFTER_MS = 200;

/** The topics of one prefix: their names, partitions and offsets. */
export class KafkaTopics {
  readonly #partitions = new Map<string, Promise<number>>();
  /** Topics that were found: they stay. */
  readonly #found = new Set<string>();
  readonly #turns = new Mutex();
  /** Questions for positions that wait for their turn, by group and topic. */
  readonly #positions = new Map<string, Promise<ReadonlyMap<number, number>>>();
  #admin: Promise<Admin> | undefined;
  #closed = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly prefix: string,
    private readonly options: Pick<KafkaOptions, 'partitions' | 'replication'>,
  ) {}

  /** The name on the cluster of a topic or a group. */
  nameOf(name: string): string {
    return `${this.prefix}.${name}`;
  }

  /** The opposite of `nameOf`. */
  ourName(name: string): string {
    return name.slice(this.prefix.length + 1);
  }

  /** The topic's number of partitions; makes the topic if need be. Throws StreamsError `invalid-record`, `store`. */
  async partitions(topic: string): Promise<number> {
    checkTopic(topic);
    const known = this.#partitions.get(topic) ?? this.#makeOrLook(topic);
    this.#partitions.set(topic, known);
    known.catch(() => this.#partitions.delete(topic));
    return known;
  }

  /** Where the topic's partitions begin and end; none when the topic is not there. */
  async ranges(topic: string): Promise<PartitionRange[]> {
    return this.ask(`read the offsets of ${topic}`, async (admin) => {
      if (!this.#partitions.has(topic) && !(await this.#isThere(admin, topic))) return [];
      const offsets = await admin.fetchTopicOffsets(this.nameOf(topic));
      return seen(topic, offsets)
        .map(({ partition, low, offset }) => ({ partition, low: Number(low), end: Number(offset) }))
        .sort((a, b) => a.partition - b.partition);
    });
  }

  /**
   * Offset of the next record that a group will read, by partition, as it is after the call: 0 where it has read nothing.
   * Whoever calls before the question is asked shares its answer: a worker asks for all of its partitions at once.
   */
  committed(group: string, topic: string): Promise<ReadonlyMap<number, number>> {
    const key = `${group} ${topic}`;
    const noLonger = (): void => void this.#positions.delete(key);
    const question = async (admin: Admin): Promise<ReadonlyMap<number, number>> => {
      noLonger();
      const [found] = await admin.fetchOffsets({ groupId: this.nameOf(group), topics: [this.nameOf(topic)] });
      return new Map(
        seen(topic, found?.partitions).map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]),
      );
    };
    const shared = this.#positions.get(key) ?? this.ask(`read the position of ${group}`, question).finally(noLonger);
    this.#positions.set(key, shared);
    return shared;
  }

  /** Resolves when what was written up to these offsets can be read: a commit is answered a moment before that. */
  async untilReadable(written: readonly WrittenEnd[]): Promise<void> {
    for (const topic of new Set(written.map(({ topic }) => topic))) {
      const wanted = written.filter((each) => each.topic === topic);
      for (;;) {
        const ranges = await this.ranges(topic);
        if (wanted.every(({ partition, end }) => (ranges[partition]?.end ?? 0) >= end)) break;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    }
  }

  /**
   * Asks the cluster, one question at a time: kafkajs keeps one view of the cluster for all who ask it at once, and a question about one topic
   * takes another's out of it. That one would seem to have no partitions: nothing to read, and no position of any group.
   * Throws StreamsError `store` when that fails, `closed` after `close`, which a new connection would outlive.
   */
  async ask<T>(doing: string, question: (admin: Admin) => Promise<T>): Promise<T> {
    for (let tries = 0; ;) {
      if (this.#closed) throw new StreamsError('closed', 'the streams are closed');
      // Before it is anyone's turn, so that all who wait learn at once that nobody can be reached.
      const connecting = (this.#admin ??= this.#connect());
      const admin = await connecting.catch((cause: unknown) => Promise.reject(toStreamsError(doing, cause)));
      const release = await this.#turns.acquire();
      try {
        // It may have been given up meanwhile.
        if (this.#closed || this.#admin !== connecting) continue;
        return await question(admin);
      } catch (cause) {
        tries += 1;
        if (tries >= TRIES || !passes(cause)) throw toStreamsError(doing, cause);
        // Its view of the cluster is old, and this is how it gets another.
        this.#admin = undefined;
        void admin.disconnect().catch(() => undefined);
      } finally {
        release();
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const admin = await this.#admin?.catch(() => undefined);
    await admin?.disconnect().catch(() => undefined);
  }

  async #connect(): Promise<Admin> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      this.#admin = undefined;
      throw error;
    }
  }

  /** Asks for this topic only: a cluster may have very many. */
  async #isThere(admin: Admin, topic: string): Promise<boolean> {
    if (this.#found.has(topic)) return true;
    try {
      await admin.fetchTopicMetadata({ topics: [this.nameOf(topic)] });
    } catch (error) {
      if (isUnknownTopic(error)) return false;
      throw error;
    }
    this.#found.add(topic);
    return true;
  }

  #makeOrLook(topic: string): Promise<number> {
    const name = this.nameOf(topic);
    return this.ask(`make the topic ${name}`, async (admin) => {
      const { partitions: numPartitions, replication: replicationFactor } = this.options;
      const configEntries = Object.entries({ ...TOPIC_SETTINGS, ...BROKERS_CLOCK }).map(([name, value]) => ({
        name,
        value,
      }));
      if (!(await this.#isThere(admin, topic))) {
        await admin.createTopics({ topics: [{ topic: name, numPartitions, replicationFactor, configEntries }] });
      }
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
      const count = topics[0]?.partitions.length ?? 0;
      if (count === 0) throw new StreamsError('store', `the topic ${name} has no partitions`);
      return count;
    });
  }
}

/**
 * Whether an error may pass with a new view of the cluster: kafkajs stumbles (TypeError) over a topic that it has not seen yet, and
 * asks a broker that is gone again and again.
 */
function passes(error: unknown): boolean {
  const { name, retriable } = error as { readonly name?: unknown; readonly retriable?: unknown };
  return error instanceof TypeError || retriable === true || name === 'KafkaJSNumberOfRetriesExceeded';
}

/** What kafkajs tells of a topic that is there. Throws when that is of no partition: its view is without the topic. */
function seen<T>(topic: string, partitions: readonly T[] = []): readonly T[] {
  if (partitions.length > 0) return partitions;
  throw Object.assign(new Error(`kafkajs sees no partitions of ${topic}`), { retriable: true });
}
