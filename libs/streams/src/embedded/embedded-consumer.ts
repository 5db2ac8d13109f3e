import type { Clock } from '../clock.js';
import { Delivery } from '../delivery.js';
import type { StreamRecord } from '../record.js';
import type { BatchHandler, Consumer, ConsumerOptions } from '../streams.js';
import { StreamsError } from '../streams-error.js';
import { EmbeddedBatch } from './embedded-batch.js';
import { GroupMember, type Lease } from './group-member.js';
import type { LogStore } from './log-store.js';

const SHORTEST_POLL_MS = 2;
const LONGEST_POLL_MS = 50;

/** What a consumer knows of a partition that it owns. */
interface Assignment {
  readonly lease: Lease;
  readonly delivery: Delivery;
  /** Offset of the next record to deliver. */
  position: number;
  /** No delivery before this monotonic time, after a failure. */
  notBefore: number;
  batch: EmbeddedBatch | undefined;
}

/** A consumer of the embedded log. */
export class EmbeddedConsumer implements Consumer {
  readonly #member: GroupMember;
  readonly #assignments = new Map<string, Assignment>();
  readonly #inFlight = new Set<EmbeddedBatch>();
  readonly #options: Required<Omit<ConsumerOptions, 'onEvent'>> & Pick<ConsumerOptions, 'onEvent'>;
  #running: Promise<void> | undefined;
  #stopping = false;
  #failure: Error | undefined;
  #next = 0;

  constructor(
    private readonly store: LogStore,
    private readonly group: string,
    topics: readonly string[],
    options: ConsumerOptions,
    private readonly leaseMs: number,
    private readonly clock: Clock,
  ) {
    this.#options = { maxRecords: 32, maxBytes: 4 * 2 ** 20, concurrency: 1, attempts: 3, ...options };
    this.#member = new GroupMember(store, group, [...new Set(topics)], leaseMs, clock);
  }

  run(handler: BatchHandler): Promise<void> {
    if (this.#running || this.#stopping) {
      return Promise.reject(new StreamsError('closed', 'a consumer runs once: make another one'));
    }
    this.#running = this.#consume(handler);
    return this.#running;
  }

  async stop({ graceMs = 10_000 }: { graceMs?: number } = {}): Promise<void> {
    this.#stopping = true;
    this.store.notify();
    const grace = setTimeout(() => {
      this.#abortAll(new StreamsError('closed', 'the consumer is stopping'));
    }, graceMs);
    // Whoever called run learns of its failure there.
    await this.#running?.catch(() => undefined);
    clearTimeout(grace);
  }

  async #consume(handler: BatchHandler): Promise<void> {
    this.#renew();
    const renewal = setInterval(() => {
      try {
        this.#renew();
      } catch (error) {
        this.#fail(error);
      }
    }, this.leaseMs / 3);
    try {
      await this.#deliverUntilStopped(handler);
      await this.#settled();
    } finally {
      clearInterval(renewal);
      this.#abortAll(new StreamsError('closed', 'the consumer has stopped'));
      this.#member.leave();
      for (const { lease } of this.#assignments.values()) this.#reportLease('revoked', lease);
      this.#assignments.clear();
    }
    if (this.#failure) throw this.#failure;
  }

  async #deliverUntilStopped(handler: BatchHandler): Promise<void> {
    let pollMs = SHORTEST_POLL_MS;
    while (!this.#stopping) {
      const batch = this.#inFlight.size < this.#options.concurrency ? this.#nextBatch() : undefined;
      if (batch) {
        pollMs = SHORTEST_POLL_MS;
        void this.#process(batch, handler);
      } else {
        await this.store.wait(pollMs);
        pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS);
      }
    }
  }

  /** Waits for the handlers in flight, except those that go on after they were aborted. */
  async #settled(): Promise<void> {
    while ([...this.#inFlight].some((batch) => !batch.signal.aborted)) {
      await this.store.wait(LONGEST_POLL_MS);
    }
  }

  /** The next records of the partitions in turn, or nothing when all are busy, pausing or read. */
  #nextBatch(): { assignment: Assignment; batch: EmbeddedBatch } | undefined {
    this.store.refresh();
    const assignments = [...this.#assignments.values()];
    const { maxRecords, maxBytes } = this.#options;
    for (let i = 0; i < assignments.length; i++) {
      const index = (this.#next + i) % assignments.length;
      const assignment = assignments[index]!;
      const { lease, position, delivery } = assignment;
      const end = this.store.end(lease.topic, lease.partition);
      if (assignment.batch || position >= end || this.clock.monotonic() < assignment.notBefore) continue;
      const records = this.store.read(lease.topic, lease.partition, {
        from: position,
        end,
        maxRecords: delivery.limit(position, maxRecords),
        maxBytes,
      });
      this.#next = index + 1;
      assignment.batch = new EmbeddedBatch(lease, records, this.#member, this.store);
      return { assignment, batch: assignment.batch };
    }
    return undefined;
  }

  async #process(
    { assignment, batch }: { assignment: Assignment; batch: EmbeddedBatch },
    handler: BatchHandler,
  ): Promise<void> {
    this.#inFlight.add(batch);
    try {
      await this.#attempt(assignment, batch, handler);
    } catch (error) {
      this.#fail(error);
    } finally {
      assignment.batch = undefined;
      this.#inFlight.delete(batch);
      this.store.notify();
    }
  }

  async #attempt(assignment: Assignment, batch: EmbeddedBatch, handler: BatchHandler): Promise<void> {
    try {
      await handler(batch);
      this.#commit(assignment, batch);
    } catch (error) {
      this.#recover(assignment, batch, error);
    }
  }

  /** Stores outputs and position in one step, if the partition is still ours. */
  #commit(assignment: Assignment, batch: EmbeddedBatch): void {
    batch.signal.throwIfAborted();
    const { topic, partition } = assignment.lease;
    const next = batch.records.at(-1)!.offset + 1;
    const timestamp = this.clock.wall();
    this.store.write(() => {
      this.#member.assertOwns(assignment.lease);
      for (const output of batch.outputs) this.store.append(output.topic, output.record, timestamp);
      this.store.offsets.putSync([this.group, topic, partition], next);
    });
    assignment.position = next;
    assignment.delivery.committed();
  }

  #recover(assignment: Assignment, batch: EmbeddedBatch, error: unknown): void {
    const first = batch.records[0]!;
    if (!batch.signal.aborted && batch.isStale()) this.#lose(batch.lease);
    if (batch.signal.aborted) {
      this.#report('stale', first, batch.signal.reason);
      return;
    }
    const { deadLetter, pauseMs } = assignment.delivery.failed(error, {
      size: batch.records.length,
      nextOffset: batch.records.at(-1)!.offset + 1,
    });
    if (deadLetter) {
      batch.outputs.length = 0;
      batch.deadLetter(first, error);
      this.#commit(assignment, batch);
    } else {
      assignment.notBefore = this.clock.monotonic() + pauseMs;
    }
    this.#report(deadLetter ? 'dead-letter' : 'retry', first, error);
  }

  /** Keeps or changes what this member owns; handlers of lost partitions are told. */
  #renew(): void {
    const change = this.#member.renew((lease) => this.#assignments.get(keyOf(lease))?.batch !== undefined);
    for (const lease of [...change.released, ...change.lost]) this.#lose(lease);
    for (const lease of change.gained) {
      this.#assignments.set(keyOf(lease), {
        lease,
        delivery: new Delivery(this.#options.attempts),
        position: this.store.offsets.get([this.group, lease.topic, lease.partition]) ?? 0,
        notBefore: 0,
        batch: undefined,
      });
      this.#reportLease('assigned', lease);
    }
    if (change.gained.length > 0) this.store.notify();
  }

  #lose(lease: Lease): void {
    this.#member.drop(lease);
    const reason = new StreamsError('stale', `${keyOf(lease)} now belongs to another consumer`);
    this.#assignments.get(keyOf(lease))?.batch?.abort(reason);
    this.#assignments.delete(keyOf(lease));
    this.#reportLease('revoked', lease);
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#stopping = true;
    this.store.notify();
  }

  #abortAll(reason: Error): void {
    for (const { batch } of this.#assignments.values()) batch?.abort(reason);
    this.store.notify();
  }

  #report(kind: 'retry' | 'dead-letter' | 'stale', record: StreamRecord, error: unknown): void {
    const { topic, partition, offset } = record;
    this.#options.onEvent?.({ kind, topic, partition, offset, error });
  }

  #reportLease(kind: 'assigned' | 'revoked', { topic, partition }: Lease): void {
    this.#options.onEvent?.({ kind, topic, partition });
  }
}

function keyOf({ topic, partition }: Lease): string {
  return `${topic}[${partition}]`;
}
