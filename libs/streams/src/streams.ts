import type { OutgoingRecord, StreamRecord } from './record.js';

/**
 * Sample streams: named topics of records, split into partitions by key, read by groups of consumers.
 *
 * The contract of every implementation (`describeStreamsContract` tests it):
 * - what a handler sends and the fact that it consumed its batch become visible together or not at all;
 * - a batch whose handler did not finish (error, crash, SIGKILL) is delivered again, here or elsewhere;
 * - a partition has one owner per group at a time, and an owner that lost it cannot commit;
 * - within a partition records arrive in the order of writing;
 * - a record id written twice to a topic is one record.
 * Where a transport keeps less it says so (`ContractDifferences`): Kafka does in three points.
 */
export interface Streams {
  readonly producer: Producer;
  /** A member of `group`, reading `topics` (created where missing) from each partition's first record on. */
  consumer(group: string, topics: readonly string[], options?: ConsumerOptions): Consumer;
  /** Every record that `topic` held when the iteration began, each partition in its order; for reports. */
  readAll(topic: string, options?: ReadOptions): AsyncIterable<StreamRecord>;
  /** How many records `topic` holds. On Kafka this reads them: offsets do not tell. */
  count(topic: string): Promise<number>;
  /** How far `group` is behind on `topic`. On Kafka an upper bound, since the marks of transactions are counted. */
  lag(group: string, topic: string): Promise<Lag>;
  /** Stops every consumer (in-flight batches finish) and releases the store. Idempotent. */
  close(): Promise<void>;
}

/** Writes records outside of any batch. */
export interface Producer {
  /**
   * Writes the records, all or none, and resolves when they are stored.
   * @returns how many were new, and how many ids the topic already had
   * @throws StreamsError `invalid-record`, `store`, `closed`
   */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<{ written: number; duplicates: number }>;
}

/** One member of a group; it runs in one process, others may run elsewhere. */
export interface Consumer {
  /**
   * Delivers batches to `handler` until `stop`, then resolves. Call once.
   * A handler that returns commits its batch. One that throws does not, and the batch comes again:
   * an error with `retriable: true` for as long as it takes, with growing pauses; any other error one
   * record at a time, and a record that fails alone `attempts` times goes to the dead-letter topic.
   * @throws StreamsError `store` when the transport fails: another consumer goes on where this one was
   */
  run(handler: BatchHandler): Promise<void>;
  /**
   * Takes no further batch, waits for handlers in flight to commit, hands the partitions back.
   * After `graceMs` (default 10,000) batches in flight are aborted by their signal and not committed.
   */
  stop(options?: { graceMs?: number }): Promise<void>;
}

/** Does the work for a batch; see `Consumer.run` for what returning and throwing mean. */
export type BatchHandler = (batch: Batch) => Promise<void>;

/** Consecutive records of one partition, and what the handler makes of them. */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly StreamRecord[];
  /** Aborts when the partition is lost to another consumer or the grace period of `stop` is over. */
  readonly signal: AbortSignal;
  /** Adds an output; it is written when the handler returns, in one step with the consumed position. */
  send(topic: string, record: OutgoingRecord): void;
  /** Sends `record` to its dead-letter topic, with `cause` in the headers, in that same step. */
  deadLetter(record: StreamRecord, cause: unknown): void;
  /**
   * Keeps the partition. A timer does so as well; call it between steps that block the event loop.
   * @throws StreamsError `stale` when the partition is already lost
   */
  heartbeat(): Promise<void>;
  /** Whether the partition is lost: stop working, nothing of this batch can be committed. */
  isStale(): boolean;
}

/** How a consumer reads. */
export interface ConsumerOptions {
  /** Most records in a batch. Default 32. */
  readonly maxRecords?: number;
  /** Most bytes of values in a batch (a larger single record comes alone). Default 4 MiB. */
  readonly maxBytes?: number;
  /** Most batches in work at once, each of another partition. Default 1. */
  readonly concurrency?: number;
  /** Tries of a single record before it goes to the dead-letter topic. Default 3. */
  readonly attempts?: number;
  /** Told what happens, for logs and metrics. */
  readonly onEvent?: (event: ConsumerEvent) => void;
}

/** What a consumer reports through `onEvent`. */
export type ConsumerEvent =
  | { readonly kind: 'assigned' | 'revoked'; readonly topic: string; readonly partition: number }
  | {
      readonly kind: 'retry' | 'dead-letter' | 'stale';
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
      readonly error: unknown;
    };

/** Where `readAll` starts and what ends it early. */
export interface ReadOptions {
  /** First offset wanted, by partition; partitions left out are read from their beginning. */
  readonly from?: ReadonlyMap<number, number>;
  readonly signal?: AbortSignal;
}

/** A group's position in a topic, in records. */
export interface Lag {
  /** Sum over the partitions: 0 when everything written is committed. */
  readonly lag: number;
  readonly partitions: readonly {
    readonly partition: number;
    /** Offset of the next record that the group will read. */
    readonly committed: number;
    /** Offset that the next record to be written will get. */
    readonly end: number;
  }[];
}
