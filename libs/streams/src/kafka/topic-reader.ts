import { randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { StreamRecord } from '../record.js';
import { StreamsError } from '../streams-error.js';
import { Wakeup } from '../wakeup.js';
import { ENDS_ON_FAILURE, joinGroup } from './join-group.js';
import { toStreamsError } from './kafka-error.js';
import { fromMessage } from './kafka-record.js';
import type { KafkaTopics } from './kafka-topics.js';

/** Longest time that a request waits for records, and that a paused reader sleeps. */
const FETCH_MS = 100;
/** Most of a partition in one response. */
const RESPONSE_BYTES = 256 * 2 ** 10;

/** Stretches that are read at once: one response brings something of each, so that there are fewer. */
const AT_ONCE = 8;
/** Chunks of a partition that wait to be taken before no more of it are fetched: one is under way while the other is worked on. */
const MOST_WAITING = 2;

/** A stretch of a partition. */
export interface Stretch {
  readonly partition: number;
  readonly from: number;
  /** Offset behind the last record; something readable must be there, a record or a transaction's marker. */
  readonly end: number;
}

interface Cursor {
  next: number;
  readonly end: number;
  /** Chunks that wait to be taken. */
  waiting: number;
}

/** Records that came together, of one partition. */
interface Chunk {
  readonly partition: number;
  readonly records: readonly StreamRecord[];
}

/**
 * Reads stretches of a topic, as often as wanted, without taking part in anybody's work. kafkajs reads only as a
 * member of a group: this is the one member of a group of its own that never commits and is paused except while it reads.
 * At most MOST_WAITING responses of the broker for each of AT_ONCE stretches wait in memory.
 */
export class TopicReader {
  /** By partition; paused when enough of it is in `#chunks`. */
  readonly #cursors = new Map<number, Cursor>();
  #chunks: Chunk[] = [];
  readonly #wakeup = new Wakeup();
  readonly #name: string;
  readonly #group: string;
  readonly #consumer: Consumer;
  /** Whether kafkajs can be told to pause and seek: between its first join and its end. */
  #joined = false;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    kafka: Kafka,
    private readonly topic: string,
    private readonly topics: KafkaTopics,
  ) {
    this.#name = topics.nameOf(topic);
    this.#group = topics.nameOf(`reader-${randomUUID()}`);
    this.#consumer = kafka.consumer({
      groupId: this.#group,
      maxWaitTimeInMs: FETCH_MS,
      maxBytesPerPartition: RESPONSE_BYTES,
      allowAutoTopicCreation: false,
      ...ENDS_ON_FAILURE,
    });
  }

  /** Joins its group, which takes the time that the broker gives others to join. Throws StreamsError `store`. */
  static async open(kafka: Kafka, topic: string, topics: KafkaTopics): Promise<TopicReader> {
    const reader = new TopicReader(kafka, topic, topics);
    try {
      await reader.#join();
    } catch (cause) {
      await reader.close();
      throw toStreamsError(`read ${topic}`, cause);
    }
    return reader;
  }

  /** Whether its consumer has ended, which leaves nothing to close: nothing can be read any more. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The records of the stretches as they come, each stretch in its order. One reading at a time. Throws StreamsError `store`. */
  async *read(stretches: readonly Stretch[], signal?: AbortSignal): AsyncIterable<readonly StreamRecord[]> {
    const waiting = [...stretches];
    try {
      for (;;) {
        for (const stretch of waiting.splice(0, AT_ONCE - this.#cursors.size)) this.#begin(stretch);
        signal?.throwIfAborted();
        if (this.#failure) throw this.#failure;
        const chunk = this.#chunks.shift();
        if (chunk) {
          this.#goOn(chunk.partition);
          if (chunk.records.length > 0) yield chunk.records;
        } else {
          if (this.#cursors.size === 0) return;
          await this.#wakeup.wait(FETCH_MS);
        }
      }
    } finally {
      for (const partition of this.#cursors.keys()) this.#pause(partition);
      this.#cursors.clear();
      this.#chunks = [];
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    if (this.failed) return;
    this.#failure ??= new StreamsError('closed', 'the streams are closed');
    this.#wakeup.notify();
    await this.#consumer.disconnect().catch(() => undefined);
    await this.topics.ask('remove a group', (admin) => admin.deleteGroups([this.#group])).catch(() => undefined);
  }

  async #join(): Promise<void> {
    const { GROUP_JOIN, STOP, END_BATCH_PROCESS } = this.#consumer.events;
    this.#consumer.on(STOP, () => (this.#joined = false));
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#joined = true;
      for (const partition of payload.memberAssignment[this.#name] ?? []) {
        if (this.#cursors.has(partition)) this.#seek(partition);
        else this.#pause(partition);
      }
    });
    // Markers of transactions come without records.
    this.#consumer.on(END_BATCH_PROCESS, ({ payload: { partition, batchSize, firstOffset, lastOffset } }) => {
      const cursor = this.#cursors.get(partition);
      if (batchSize > 0 || !cursor || Number(firstOffset) > cursor.next) return;
      this.#advance(cursor, { partition, records: [] }, Number(lastOffset));
    });
    const config = { eachBatch: async (payload: EachBatchPayload) => this.#take(payload) };
    await joinGroup(this.#consumer, [this.#name], config, (cause) => {
      this.#failure = toStreamsError(`read ${this.topic}`, cause);
      this.#wakeup.notify();
    });
  }

  #take({ batch, isStale }: EachBatchPayload): void {
    const { partition } = batch;
    const cursor = this.#cursors.get(partition);
    if (isStale()) return;
    if (!cursor) return this.#pause(partition);
    const records = batch.messages
      .filter(({ offset }) => Number(offset) >= cursor.next && Number(offset) < cursor.end)
      .map((message) => fromMessage(this.topic, partition, message));
    this.#advance(cursor, { partition, records }, Number(batch.lastOffset()));
  }

  #advance(cursor: Cursor, chunk: Chunk, last: number): void {
    cursor.next = Math.max(cursor.next, last + 1);
    cursor.waiting += 1;
    if (cursor.waiting >= MOST_WAITING || cursor.next >= cursor.end) this.#pause(chunk.partition);
    this.#chunks.push(chunk);
    this.#wakeup.notify();
  }

  #begin({ partition, from, end }: Stretch): void {
    this.#cursors.set(partition, { next: from, end, waiting: 0 });
    this.#seek(partition);
    this.#resume(partition);
  }

  /** A chunk of the partition is taken: fetches what comes next, unless that was the last. */
  #goOn(partition: number): void {
    const cursor = this.#cursors.get(partition)!;
    cursor.waiting -= 1;
    if (cursor.next < cursor.end) this.#resume(partition);
    else if (cursor.waiting === 0) this.#cursors.delete(partition);
  }

  /** Has a reading go on at its next offset. */
  #seek(partition: number): void {
    if (!this.#joined) return;
    const { next } = this.#cursors.get(partition)!;
    this.#consumer.seek({ topic: this.#name, partition, offset: String(next) });
  }

  #pause(partition: number): void {
    if (this.#joined) this.#consumer.pause([{ topic: this.#name, partitions: [partition] }]);
  }

  #resume(partition: number): void {
    if (this.#joined) this.#consumer.resume([{ topic: this.#name, partitions: [partition] }]);
  }
}
