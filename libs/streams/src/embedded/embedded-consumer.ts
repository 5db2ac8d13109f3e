import type { Clock } from '../clock.js';
import { Delivery } from '../delivery.js';
import { GroupConsumer, keyOf, type Assignment } from '../group-consumer.js';
import type { PendingBatch } from '../pending-batch.js';
import type { ConsumerOptions } from '../streams.js';
import { EmbeddedBatch } from './embedded-batch.js';
import { GroupMember, type Lease } from './group-member.js';
import type { LogStore } from './log-store.js';

interface EmbeddedAssignment extends Assignment {
  readonly lease: Lease;
  /** Offset of the next record to deliver. */
  position: number;
}

/** A consumer of the embedded log. */
export class EmbeddedConsumer extends GroupConsumer<EmbeddedAssignment> {
  readonly #member: GroupMember;
  #renewal: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: LogStore,
    private readonly group: string,
    topics: readonly string[],
    options: ConsumerOptions,
    private readonly leaseMs: number,
    private readonly clock: Clock,
  ) {
    super(options, () => clock.monotonic(), store.wakeup);
    this.#member = new GroupMember(store, group, [...new Set(topics)], leaseMs, clock);
  }

  protected async join(): Promise<void> {
    this.#renew();
    this.#renewal = setInterval(() => {
      try {
        this.#renew();
      } catch (error) {
        this.fail(error);
      }
    }, this.leaseMs / 3);
  }

  protected async leave(): Promise<void> {
    clearInterval(this.#renewal);
    this.#member.leave();
  }

  protected refresh(): void {
    this.store.refresh();
  }

  protected nextBatch(
    { lease, position: from }: EmbeddedAssignment,
    limit: (offset: number) => number,
  ): PendingBatch | undefined {
    const end = this.store.end(lease.topic, lease.partition);
    if (from >= end) return undefined;
    const range = { from, end, maxRecords: limit(from), maxBytes: this.options.maxBytes };
    return new EmbeddedBatch(lease, this.store.read(lease.topic, lease.partition, range), this.#member, this.store);
  }

  protected commit(assignment: EmbeddedAssignment, batch: PendingBatch): void {
    const { topic, partition } = assignment;
    const timestamp = this.clock.wall();
    this.store.write(() => {
      this.#member.assertOwns(assignment.lease);
      for (const output of batch.outputs) this.store.append(output.topic, output.record, timestamp);
      this.store.offsets.putSync([this.group, topic, partition], batch.nextOffset);
    });
    assignment.position = batch.nextOffset;
  }

  protected override lose(assignment: EmbeddedAssignment): void {
    if (this.has(assignment)) this.#member.drop(assignment.lease);
    super.lose(assignment);
  }

  /** Keeps or changes what this member owns; handlers of lost partitions are told. */
  #renew(): void {
    const change = this.#member.renew((lease) => this.assignments.get(keyOf(lease))?.batch !== undefined);
    for (const lease of [...change.released, ...change.lost]) {
      const assignment = this.assignments.get(keyOf(lease));
      if (assignment) this.lose(assignment);
    }
    for (const lease of change.gained) {
      this.gain({
        ...lease,
        lease,
        delivery: new Delivery(this.options.attempts),
        position: this.store.offsets.get([this.group, lease.topic, lease.partition]) ?? 0,
        notBefore: 0,
        batch: undefined,
      });
    }
  }
}
