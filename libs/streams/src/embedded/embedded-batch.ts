import { checkRecord, checkTopic } from '../check-record.js';
import { toDeadLetter } from '../dead-letter.js';
import { deadLetterTopic, type OutgoingRecord, type StreamRecord } from '../record.js';
import type { Batch } from '../streams.js';
import type { GroupMember, Lease } from './group-member.js';
import type { LogStore } from './log-store.js';

/** A batch of the embedded log; holds the handler's outputs until the consumer commits them. */
export class EmbeddedBatch implements Batch {
  readonly outputs: { topic: string; record: OutgoingRecord }[] = [];
  readonly #abort = new AbortController();

  constructor(
    readonly lease: Lease,
    readonly records: readonly StreamRecord[],
    private readonly member: GroupMember,
    private readonly store: LogStore,
  ) {}

  get topic(): string {
    return this.lease.topic;
  }

  get partition(): number {
    return this.lease.partition;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  send(topic: string, record: OutgoingRecord): void {
    checkTopic(topic);
    checkRecord(topic, record);
    this.outputs.push({ topic, record });
  }

  deadLetter(record: StreamRecord, cause: unknown): void {
    this.send(deadLetterTopic(record.topic), toDeadLetter(record, cause));
  }

  async heartbeat(): Promise<void> {
    this.member.heartbeat(this.lease);
  }

  isStale(): boolean {
    if (this.signal.aborted) return true;
    this.store.refresh();
    return !this.member.owns(this.lease);
  }

  /** Tells the handler to stop; the batch will not be committed. */
  abort(reason: Error): void {
    this.#abort.abort(reason);
  }
}
