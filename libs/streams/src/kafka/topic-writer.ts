import type { Kafka } from 'kafkajs';
import type { OutgoingRecord, StreamRecord } from '../record.js';
import { StreamsError } from '../streams-error.js';
import { TransactionalProducer, type TransactionOptions } from './transactional-producer.js';

/** Times that a write is begun anew after another writer of the topic came between. */
const TRIES = 20;
const LONGEST_PAUSE_MS = 250;

/**
 * Writes records to a topic, each id once. Kafka has no index of ids, so the writer keeps one: it reads what the topic holds
 * when it first writes. The topic's transactional id is the lock that keeps the index true: whoever opens a producer under it fences
 * the writer before, and that one reads again what was written meanwhile.
 * Memory: the ids of the topic, about 100 bytes each.
 */
export class TopicWriter {
  readonly #ids = new Set<string>();
  readonly #next = new Map<number, number>();
  #producer: TransactionalProducer | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param readFrom reads the topic from offsets on, to its end */
  constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
    private readonly options: TransactionOptions,
    private readonly readFrom: (from: ReadonlyMap<number, number>) => AsyncIterable<StreamRecord>,
  ) {}

  /** Writes the records whose ids are new, all or none; calls take their turns. Throws StreamsError `store`, `invalid-record`. */
  write(records: readonly OutgoingRecord[]): Promise<{ written: number; duplicates: number }> {
    const written = this.#turn.then(() => this.#write(records));
    this.#turn = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#producer?.close();
  }

  async #write(records: readonly OutgoingRecord[]): Promise<{ written: number; duplicates: number }> {
    for (let tries = 1; ; tries++) {
      try {
        const fresh = await this.#commitNew(records);
        return { written: fresh, duplicates: records.length - fresh };
      } catch (error) {
        await this.#producer?.close();
        this.#producer = undefined;
        if (!(error instanceof StreamsError) || error.code !== 'stale' || tries >= TRIES) throw error;
        // Two writers that fence each other in step would never end.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_PAUSE_MS));
      }
    }
  }

  async #commitNew(records: readonly OutgoingRecord[]): Promise<number> {
    if (!this.#producer) {
      this.#producer = await TransactionalProducer.open(
        this.kafka,
        this.options.topics.nameOf(`${this.topic}.writer`),
        this.options,
      );
      for await (const { id, partition, offset } of this.readFrom(this.#next)) {
        this.#ids.add(id);
        this.#next.set(partition, offset + 1);
      }
    }
    const fresh = new Map<string, OutgoingRecord>();
    for (const record of records) {
      const id = record.id ?? record.key;
      if (!this.#ids.has(id) && !fresh.has(id)) fresh.set(id, record);
    }
    if (fresh.size === 0) return 0;
    const outputs = [...fresh.values()].map((record) => ({ topic: this.topic, record }));
    await this.options.topics.untilReadable(await this.#producer.commit(outputs));
    for (const id of fresh.keys()) this.#ids.add(id);
    return fresh.size;
  }
}
