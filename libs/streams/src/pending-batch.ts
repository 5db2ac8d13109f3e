import { checkRecord, checkTopic } from './check-record.js';
import { toDeadLetter } from './dead-letter.js';
import { deadLetterTopic, type OutgoingRecord, type StreamRecord } from './record.js';
import type { Batch } from './streams.js';

/** A record and the topic it is for. */
export interface Output {
  readonly topic: string;
  readonly record: OutgoingRecord;
}

/** A batch in work; holds the handler's outputs until the consumer commits them. */
export abstract class PendingBatch implements Batch {
  readonly outputs: Output[] = [];
  readonly #abort = new AbortController();

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly records: readonly StreamRecord[],
  ) {}

  abstract heartbeat(): Promise<void>;
  abstract isStale(): boolean;

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Offset behind the last record. */
  get nextOffset(): number {
    return this.records.at(-1)!.offset + 1;
  }

  send(topic: string, record: OutgoingRecord): void {
    checkTopic(topic);
    checkRecord(topic, record);
    this.outputs.push({ topic, record });
  }

  deadLetter(record: StreamRecord, cause: unknown): void {
    this.send(deadLetterTopic(record.topic), toDeadLetter(record, cause));
  }

  /** Tells the handler to stop; the batch will not be committed. */
  abort(reason: Error): void {
    this.#abort.abort(reason);
  }
}
