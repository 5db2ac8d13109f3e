import { toDeadLetter, withoutValue } from './dead-letter.js';
import { isRetriable, type Delivery } from './delivery.js';
import type { PendingBatch } from './pending-batch.js';
import { deadLetterTopic, type OutgoingRecord, type StreamRecord } from './record.js';
import type { BatchHandler, Consumer, ConsumerOptions } from './streams.js';
import { StreamsError } from './streams-error.js';
import type { Wakeup } from './wakeup.js';

const SHORTEST_POLL_MS = 2;
const LONGEST_POLL_MS = 50;

/** What a consumer knows of a partition that it owns. */
export interface Assignment {
  readonly topic: string;
  readonly partition: number;
  readonly delivery: Delivery;
  /** No delivery before this monotonic time, after a failure. */
  notBefore: number;
  batch: PendingBatch | undefined;
}

/**
 * What the consumers of all transports do alike: batches of the owned partitions in turn, as many at once as wanted; what a
 * handler's failure leads to; a stop that lets batches in flight finish. A transport says how partitions are come by, read
 * and committed.
 */
export abstract class GroupConsumer<A extends Assignment> implements Consumer {
  protected readonly assignments = new Map<string, A>();
  protected readonly options: Required<Omit<ConsumerOptions, 'onEvent'>> & Pick<ConsumerOptions, 'onEvent'>;
  readonly #inFlight = new Set<PendingBatch>();
  #running: Promise<void> | undefined;
  #stopping = false;
  #failure: Error | undefined;
  #next = 0;

  /**
   * @param now monotonic milliseconds
   * @param wakeup notified when there may be something to deliver
   */
  constructor(
    options: ConsumerOptions,
    private readonly now: () => number,
    private readonly wakeup: Wakeup,
  ) {
    this.options = { maxRecords: 32, maxBytes: 4 * 2 ** 20, concurrency: 1, attempts: 3, ...options };
  }

  /** Becomes a member of the group; from now on `assignments` may change. */
  protected abstract join(): Promise<void>;
  /** Hands back what is owned; called also when `join` failed. */
  protected abstract leave(): Promise<void>;
  /** Called before partitions are looked at. */
  protected abstract refresh(): void;
  /** The partition's next records, at most `maxRecords`, or undefined when all are read. */
  protected abstract nextBatch(assignment: A, limit: (offset: number) => number): PendingBatch | undefined;
  /**
   * Stores the batch's outputs and the position behind it in one step, and moves the assignment there.
   * @throws StreamsError `stale` when the partition is lost
   */
  protected abstract commit(assignment: A, batch: PendingBatch): Promise<void> | void;

  run(handler: BatchHandler): Promise<void> {
    if (this.#running || this.#stopping) {
      return Promise.reject(new StreamsError('closed', 'a consumer runs once: make another one'));
    }
    this.#running = this.#consume(handler);
    return this.#running;
  }

  async stop({ graceMs = 10_000 }: { graceMs?: number } = {}): Promise<void> {
    this.#stopping = true;
    this.wakeup.notify();
    const grace = setTimeout(() => {
      this.#abortAll(new StreamsError('closed', 'the consumer is stopping'));
    }, graceMs);
    // Whoever called run learns of its failure there.
    await this.#running?.catch(() => undefined);
    clearTimeout(grace);
  }

  /** Owns a partition from now on. */
  protected gain(assignment: A): void {
    this.assignments.set(keyOf(assignment), assignment);
    this.#reportPartition('assigned', assignment);
    this.wakeup.notify();
  }

  /** Whether this is what the consumer has of the partition now, not one that it had before it lost and got it again. */
  protected has(assignment: A): boolean {
    return this.assignments.get(keyOf(assignment)) === assignment;
  }

  /** Owns it no longer; a handler at work on it is told. */
  protected lose(assignment: A): void {
    const key = keyOf(assignment);
    assignment.batch?.abort(new StreamsError('stale', `${key} now belongs to another consumer`));
    if (!this.has(assignment)) return;
    this.assignments.delete(key);
    this.#reportPartition('revoked', assignment);
  }

  /** Ends the consumer: `run` rejects with the error. */
  protected fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#stopping = true;
    this.wakeup.notify();
  }

  async #consume(handler: BatchHandler): Promise<void> {
    try {
      await this.join();
      await this.#deliverUntilStopped(handler);
      await this.#settled();
    } finally {
      this.#abortAll(new StreamsError('closed', 'the consumer has stopped'));
      await this.leave();
      for (const assignment of this.assignments.values()) this.#reportPartition('revoked', assignment);
      this.assignments.clear();
    }
    if (this.#failure) throw this.#failure;
  }

  async #deliverUntilStopped(handler: BatchHandler): Promise<void> {
    let pollMs = SHORTEST_POLL_MS;
    while (!this.#stopping) {
      const next = this.#inFlight.size < this.options.concurrency ? this.#take() : undefined;
      if (next) {
        pollMs = SHORTEST_POLL_MS;
        void this.#process(next, handler);
      } else {
        await this.wakeup.wait(pollMs);
        pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS);
      }
    }
  }

  /** Waits for the handlers in flight, except those that go on after they were aborted. */
  async #settled(): Promise<void> {
    while ([...this.#inFlight].some((batch) => !batch.signal.aborted)) await this.wakeup.wait(LONGEST_POLL_MS);
  }

  /** The next records of the partitions in turn, or nothing when all are busy, pausing or read. */
  #take(): { assignment: A; batch: PendingBatch } | undefined {
    this.refresh();
    const assignments = [...this.assignments.values()];
    for (let i = 0; i < assignments.length; i++) {
      const index = (this.#next + i) % assignments.length;
      const assignment = assignments[index]!;
      if (assignment.batch || this.now() < assignment.notBefore) continue;
      const batch = this.nextBatch(assignment, (offset) => assignment.delivery.limit(offset, this.options.maxRecords));
      if (!batch) continue;
      this.#next = index + 1;
      assignment.batch = batch;
      return { assignment, batch };
    }
    return undefined;
  }

  async #process({ assignment, batch }: { assignment: A; batch: PendingBatch }, handler: BatchHandler): Promise<void> {
    this.#inFlight.add(batch);
    try {
      await this.#attempt(assignment, batch, handler);
    } catch (error) {
      this.fail(error);
    } finally {
      assignment.batch = undefined;
      this.#inFlight.delete(batch);
      this.wakeup.notify();
    }
  }

  async #attempt(assignment: A, batch: PendingBatch, handler: BatchHandler): Promise<void> {
    try {
      await handler(batch);
      await this.#commit(assignment, batch);
    } catch (error) {
      await this.#recover(assignment, batch, error);
    }
  }

  async #commit(assignment: A, batch: PendingBatch): Promise<void> {
    batch.signal.throwIfAborted();
    await this.commit(assignment, batch);
    assignment.delivery.committed();
  }

  async #recover(assignment: A, batch: PendingBatch, error: unknown): Promise<void> {
    const first = batch.records[0]!;
    if (!batch.signal.aborted && batch.isStale()) this.lose(assignment);
    if (batch.signal.aborted) return this.#report('stale', first, batch.signal.reason);
    const verdict = assignment.delivery.failed(error, { size: batch.records.length, nextOffset: batch.nextOffset });
    assignment.notBefore = this.now() + verdict.pauseMs;
    if (!verdict.deadLetter) return this.#report('retry', first, error);
    try {
      await this.#putAside(assignment, batch, error);
      this.#report('dead-letter', first, error);
    } catch (failure) {
      if (!isRetriable(failure)) throw failure;
      this.#report(batch.signal.aborted ? 'stale' : 'retry', first, failure);
    }
  }

  /** Commits a batch of one record as a dead letter. */
  async #putAside(assignment: A, batch: PendingBatch, cause: unknown): Promise<void> {
    const record = batch.records[0]!;
    const letter = toDeadLetter(record, cause);
    const commit = (each: OutgoingRecord): Promise<void> => {
      batch.outputs.length = 0;
      batch.send(deadLetterTopic(record.topic), each);
      return this.#commit(assignment, batch);
    };
    try {
      await commit(letter);
    } catch (failure) {
      if (!(failure instanceof StreamsError) || failure.code !== 'invalid-record') throw failure;
      await commit(withoutValue(letter));
    }
  }

  #abortAll(reason: Error): void {
    for (const { batch } of this.assignments.values()) batch?.abort(reason);
    this.wakeup.notify();
  }

  #report(kind: 'retry' | 'dead-letter' | 'stale', record: StreamRecord, error: unknown): void {
    const { topic, partition, offset } = record;
    this.options.onEvent?.({ kind, topic, partition, offset, error });
  }

  #reportPartition(kind: 'assigned' | 'revoked', { topic, partition }: { topic: string; partition: number }): void {
    this.options.onEvent?.({ kind, topic, partition });
  }
}

/** A partition's name within a consumer. */
export function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}[${partition}]`;
}
