import { PendingBatch } from '../pending-batch.js';
import type { StreamRecord } from '../record.js';
import type { GroupMember, Lease } from './group-member.js';
import type { LogStore } from './log-store.js';

/** A batch of the embedded log. */
export class EmbeddedBatch extends PendingBatch {
  constructor(
    private readonly lease: Lease,
    records: readonly StreamRecord[],
    private readonly member: GroupMember,
    private readonly store: LogStore,
  ) {
    super(lease.topic, lease.partition, records);
  }

  async heartbeat(): Promise<void> {
    this.member.heartbeat(this.lease);
  }

  isStale(): boolean {
    if (this.signal.aborted) return true;
    this.store.refresh();
    return !this.member.owns(this.lease);
  }
}
