import type { Kafka } from 'kafkajs';
import type { OutgoingRecord, StreamRecord } from '../record.js';
import type { Producer } from '../streams.js';
import { StreamsError } from '../streams-error.js';
import { TransactionalProducer, type TransactionOptions } from './transactional-producer.js';

/** How many records of a call were new, and how many ids the topic already had. */
type Written = Awaited<ReturnType<Producer['send']>>;

interface Call {
  readonly records: readonly OutgoingRecord[];
  resolve(written: Written): void;
  reject(error: unknown): void;
}

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
  #waiting: Call[] = [];
  #turn: Promise<void> = Promise.resolve();

  /** @param readFrom reads the topic from offsets on, to its end */
  constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
    private readonly options: TransactionOptions,
    private readonly readFrom: (from: ReadonlyMap<number, number>) => AsyncIterable<StreamRecord>,
  ) {}

  /**
   * Writes the records whose ids are new, all or none. Calls that wait for their turn share a transaction.
   * Throws StreamsError `store`, `invalid-record`.
   */
  write(records: readonly OutgoingRecord[]): Promise<Written> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject });
      this.#turn = this.#turn.then(() => this.#takeTurn());
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#producer?.close();
  }

  async #takeTurn(): Promise<void> {
    const calls = this.#waiting;
    this.#waiting = [];
    await this.#writeCalls(calls).catch(async (error: unknown) => {
      // One call's record must not be another's failure.
      if (calls.length === 1) return calls[0]!.reject(error);
      for (const call of calls) await this.#writeCalls([call]).catch(call.reject);
    });
  }

  async #writeCalls(calls: readonly Call[]): Promise<void> {
    if (calls.length === 0) return;
    for (let tries = 1; ; tries++) {
      try {
        const written = await this.#commitNew(calls);
        calls.forEach(({ resolve }, i) => resolve(written[i]!));
        return;
      } catch (error) {
        await this.#producer?.close();
        this.#producer = undefined;
        if (!(error instanceof StreamsError) || error.code !== 'stale' || tries >= TRIES) throw error;
        // Two writers that fence each other in step would never end.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_PAUSE_MS));
      }
    }
  }

  async #commitNew(calls: readonly Call[]): Promise<Written[]> {
    const producer = (this.#producer ??= await this.#open());
    const fresh = new Map<string, OutgoingRecord>();
    const reports = calls.map(({ records }): Written => {
      const before = fresh.size;
      for (const record of records) {
        const id = record.id ?? record.key;
        if (!this.#ids.has(id) && !fresh.has(id)) fresh.set(id, record);
      }
      const written = fresh.size - before;
      return { written, duplicates: records.length - written };
    });
    if (fresh.size > 0) {
      const outputs = [...fresh.values()].map((record) => ({ topic: this.topic, record }));
      await this.options.topics.untilReadable(await producer.commit(outputs));
      for (const id of fresh.keys()) this.#ids.add(id);
    }
    return reports;
  }

  /** Fences the writer before, and learns the ids that it wrote. */
  async #open(): Promise<TransactionalProducer> {
    const id = this.options.topics.nameOf(`${this.topic}.writer`);
    const producer = await TransactionalProducer.open(this.kafka, id, this.options);
    try {
      for await (const { id: known, partition, offset } of this.readFrom(this.#next)) {
        this.#ids.add(known);
        this.#next.set(partition, offset + 1);
      }
    } catch (error) {
      await producer.close();
      throw error;
    }
    return producer;
  }
}
