import type { Kafka } from 'kafkajs';
import { IdTable } from '../id-table.js';
import type { OutgoingRecord, StreamRecord } from '../record.js';
import type { Producer } from '../streams.js';
import { StreamsError, type StreamsErrorCode } from '../streams-error.js';
import type { WrittenEnd } from './kafka-topics.js';
import { TransactionalProducer, type TransactionOptions } from './transactional-producer.js';

/** How many records of a call were new, and how many ids the topic already had. */
type Written = Awaited<ReturnType<Producer['send']>>;

interface Call {
  readonly records: readonly OutgoingRecord[];
  resolve(written: Written): void;
  reject(error: unknown): void;
}

/** A commit whose outcome is not known: where its records would be, and their ids. */
interface Unsettled {
  readonly sent: readonly WrittenEnd[];
  readonly ids: readonly string[];
}

/** Times that a write is tried: after another writer of the topic came between, and after the cluster failed. */
const TRIES: Partial<Record<StreamsErrorCode, number>> = { stale: 20, store: 3 };
const LONGEST_PAUSE_MS = 250;

/**
 * Writes records to a topic, each id once. Kafka has no index of ids, so the writer keeps one: it reads what the topic holds
 * when it first writes. The topic's transactional id is the lock that keeps the index true: whoever opens a producer under it fences
 * the writer before, and that one reads again what was written meanwhile.
 * Memory: a digest of every id of the topic, see {@link IdTable}.
 */
export class TopicWriter {
  readonly #ids = new IdTable();
  readonly #next = new Map<number, number>();
  #producer: TransactionalProducer | undefined;
  #waiting: Call[] = [];
  #unsettled: Unsettled | undefined;
  /** Ids of a commit that seemed to fail and had gone through: they count as written, once. */
  #settled = new Set<string>();
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
        if (!(error instanceof StreamsError) || tries >= (TRIES[error.code] ?? 1)) throw error;
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
      let settled = 0;
      for (const record of records) {
        const id = record.id ?? record.key;
        if (this.#settled.delete(id)) settled += 1;
        else if (!this.#ids.has(id) && !fresh.has(id)) fresh.set(id, record);
      }
      const written = fresh.size - before + settled;
      return { written, duplicates: records.length - written };
    });
    if (fresh.size > 0) {
      const outputs = [...fresh.values()].map((record) => ({ topic: this.topic, record }));
      const onSent = (sent: readonly WrittenEnd[]): void => void (this.#unsettled = { sent, ids: [...fresh.keys()] });
      await this.options.topics.untilReadable(await producer.commit(outputs, undefined, onSent));
      this.#unsettled = undefined;
      for (const id of fresh.keys()) this.#ids.add(id);
    }
    return reports;
  }

  /** Fences the writer before, and learns the ids that it wrote. */
  async #open(): Promise<TransactionalProducer> {
    const id = this.options.topics.nameOf(`${this.topic}.writer`);
    const producer = await TransactionalProducer.open(this.kafka, id, this.options);
    try {
      // A topic that is not there has nothing to read, and so would one that the broker asked has not heard of yet.
      await this.options.topics.partitions(this.topic);
      for await (const { id: known, partition, offset } of this.readFrom(this.#next)) {
        this.#ids.add(known);
        this.#next.set(partition, offset + 1);
        // Records of a transaction that was undone are not readable: one that is there settles all.
        if (this.#unsettled?.sent.some((sent) => sent.partition === partition && sent.end === offset + 1)) {
          this.#settled = new Set(this.#unsettled.ids);
        }
      }
      this.#unsettled = undefined;
    } catch (error) {
      await producer.close();
      throw error;
    }
    return producer;
  }
}
