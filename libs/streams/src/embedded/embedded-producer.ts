import { checkRecord, checkTopic } from '../check-record.js';
import type { Clock } from '../clock.js';
import type { OutgoingRecord } from '../record.js';
import type { Producer } from '../streams.js';
import type { LogStore } from './log-store.js';

interface Pending {
  readonly topic: string;
  readonly records: readonly OutgoingRecord[];
  resolve(report: { written: number; duplicates: number }): void;
  reject(error: unknown): void;
}

/** Writes what is sent within one turn of the event loop in one transaction, so that many senders share a flush. */
export class EmbeddedProducer implements Producer {
  #pending: Pending[] = [];

  constructor(
    private readonly store: LogStore,
    private readonly clock: Clock,
  ) {}

  async send(topic: string, records: readonly OutgoingRecord[]): Promise<{ written: number; duplicates: number }> {
    checkTopic(topic);
    for (const record of records) checkRecord(topic, record);
    return new Promise((resolve, reject) => {
      this.#pending.push({ topic, records, resolve, reject });
      if (this.#pending.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Writes what is pending now. */
  flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length === 0) return;
    const timestamp = this.clock.wall();
    try {
      const reports = this.store.write(() =>
        pending.map(({ topic, records }) => {
          const written = records.filter((record) => this.store.append(topic, record, timestamp)).length;
          return { written, duplicates: records.length - written };
        }),
      );
      pending.forEach(({ resolve }, i) => resolve(reports[i]!));
      this.store.wakeup.notify();
    } catch (error) {
      for (const { reject } of pending) reject(error);
    }
  }
}
