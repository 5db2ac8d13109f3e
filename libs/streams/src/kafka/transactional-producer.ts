import type { CompressionTypes, Kafka, Message, Producer, Transaction } from 'kafkajs';
import type { Output } from '../pending-batch.js';
import { StreamsError } from '../streams-error.js';
import { isConcurrent, isFenced, toStreamsError } from './kafka-error.js';
import { toMessage } from './kafka-record.js';
import type { KafkaTopics, WrittenEnd } from './kafka-topics.js';

/** Most bytes of values in one request, so that what falls to a partition stays below the 1 MiB that brokers take. */
const REQUEST_BYTES = 512 * 2 ** 10;
/** Milliseconds after which the broker aborts a transaction whose producer has died. */
const TRANSACTION_MS = 30_000;
const AGAIN_AFTER_MS = 10;

/** The position of a group in a partition, to be moved by a transaction. */
export interface GroupPosition {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** Offset of the next record. */
  readonly offset: number;
}

/** How transactions are written. */
export interface TransactionOptions {
  readonly topics: KafkaTopics;
  readonly compression: CompressionTypes;
}

/**
 * Writes in transactions under one transactional id, one at a time. Opening it ends whatever an earlier owner of the id had
 * begun, and fences it: from then on its commits fail with `stale`. After any failure it is of no use: open another one, which
 * also settles whether the failed commit had gone through.
 */
export class TransactionalProducer {
  private constructor(
    private readonly producer: Producer,
    private readonly options: TransactionOptions,
  ) {}

  /** Throws StreamsError `store` when the cluster does not answer. */
  static async open(
    kafka: Kafka,
    transactionalId: string,
    options: TransactionOptions,
  ): Promise<TransactionalProducer> {
    const producer = kafka.producer({
      transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: TRANSACTION_MS,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
    });
    try {
      await producer.connect();
      // The first transaction claims the id; without records it sends nothing else.
      await (await producer.transaction()).abort();
    } catch (cause) {
      await producer.disconnect().catch(() => undefined);
      throw toStreamsError('begin a transaction on Kafka', cause);
    }
    return new TransactionalProducer(producer, options);
  }

  /**
   * Writes all outputs and moves the position, or nothing of it.
   * @param onSent told, before it is committed, where in each partition the records are
   * @returns what must be readable for all of it to be: a transaction becomes so as a whole in each partition
   * @throws StreamsError `stale` when another producer has taken the id over, `invalid-record` for a record that is too
   * large, `store` when it may be tried again
   */
  async commit(
    outputs: readonly Output[],
    position?: GroupPosition,
    onSent?: (written: readonly WrittenEnd[]) => void,
  ): Promise<WrittenEnd[]> {
    const requests = await this.#requests(outputs);
    const written: WrittenEnd[] = [];
    let transaction: Transaction | undefined;
    try {
      const open = (transaction = await this.producer.transaction());
      for (const topicMessages of requests) {
        const first = await open.sendBatch({ topicMessages, compression: this.options.compression });
        written.push(
          ...first.map(({ topicName, partition, baseOffset }) => ({
            topic: this.options.topics.ourName(topicName),
            partition,
            end: Number(baseOffset) + 1,
          })),
        );
      }
      onSent?.(written);
      if (position) {
        const { group, topic, partition, offset } = position;
        const topics = [
          { topic: this.options.topics.nameOf(topic), partitions: [{ partition, offset: String(offset) }] },
        ];
        await afterTheLast(() => open.sendOffsets({ consumerGroupId: group, topics }));
      }
      await open.commit();
      return written;
    } catch (cause) {
      if (isFenced(cause))
        throw new StreamsError('stale', 'another producer has taken over the transactional id', { cause });
      if (transaction?.isActive()) await transaction.abort().catch(() => undefined);
      throw toStreamsError('write to Kafka', cause);
    }
  }

  async close(): Promise<void> {
    await this.producer.disconnect().catch(() => undefined);
  }

  /** The outputs as requests of bounded size, in their order. */
  async #requests(outputs: readonly Output[]): Promise<{ topic: string; messages: Message[] }[][]> {
    const requests: Map<string, Message[]>[] = [];
    let bytes = Infinity;
    for (const { topic, record } of outputs) {
      const size = record.value.byteLength;
      if (bytes + size > REQUEST_BYTES) {
        requests.push(new Map());
        bytes = 0;
      }
      bytes += size;
      const name = this.options.topics.nameOf(topic);
      const messages = requests.at(-1)!.get(name) ?? [];
      messages.push(toMessage(record, await this.options.topics.partitions(topic)));
      requests.at(-1)!.set(name, messages);
    }
    return requests.map((request) => [...request].map(([topic, messages]) => ({ topic, messages })));
  }
}

/**
 * Takes the first step of a transaction: the broker refuses it for the moment in which it still marks the partitions of the one
 * before, whose commit it has answered already. kafkajs waits for that when it sends records, but not here.
 */
async function afterTheLast(step: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + TRANSACTION_MS; ;) {
    try {
      return await step();
    } catch (error) {
      if (!isConcurrent(error) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
    }
  }
}
