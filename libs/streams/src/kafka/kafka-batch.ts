import { keyOf, type Assignment } from '../group-consumer.js';
import { PendingBatch } from '../pending-batch.js';
import type { StreamRecord } from '../record.js';
import { StreamsError } from '../streams-error.js';
import type { TransactionalProducer } from './transactional-producer.js';

/** What a consumer of Kafka knows of a partition that it owns. */
export interface KafkaAssignment extends Assignment {
  /** Records that were fetched and are not committed; while some wait, the partition is paused. */
  readonly buffer: StreamRecord[];
  /** Offset behind all that was fetched, markers of transactions included. */
  fetchedTo: number;
  /** Where what was fetched last began, if not there: it is asked for once more before that is believed. */
  gapTo: number | undefined;
  /** The group's position, as of the last commit. */
  committed: number;
  /** Writes what comes of this partition; undefined while it is being opened. */
  producer: TransactionalProducer | undefined;
  opening: Promise<void>;
  /** Whether a position is being committed without a batch. */
  settling: boolean;
}

/** A batch of Kafka. */
export class KafkaBatch extends PendingBatch {
  constructor(
    { topic, partition }: KafkaAssignment,
    records: readonly StreamRecord[],
    private readonly owner: { isOwned(): boolean; beat(): Promise<void> },
  ) {
    super(topic, partition, records);
  }

  async heartbeat(): Promise<void> {
    // A rebalance that it tells of is the fetching loop's to answer.
    await this.owner.beat().catch(() => undefined);
    if (this.isStale()) throw new StreamsError('stale', `${keyOf(this)} now belongs to another consumer`);
  }

  isStale(): boolean {
    return this.signal.aborted || !this.owner.isOwned();
  }
}
