/** Header names that every service reads and writes. Trace context is the W3C's `traceparent`. */
export const HEADER = {
  runId: 'mpa-run-id',
  contentType: 'content-type',
  traceParent: 'traceparent',
  traceState: 'tracestate',
  deadCause: 'mpa-dead-cause',
  deadTopic: 'mpa-dead-topic',
  deadPartition: 'mpa-dead-partition',
  deadOffset: 'mpa-dead-offset',
  /** Bytes of a value that was left out: with all the rest the record was too large. */
  deadBytes: 'mpa-dead-bytes',
} as const;

/** Text by header name. */
export type Headers = Readonly<Record<string, string>>;

/** A record to write. */
export interface OutgoingRecord {
  /** Sample id. Records of one key keep their order: the key decides the partition. */
  readonly key: string;
  /** The encoded message. */
  readonly value: Uint8Array;
  /**
   * Identity of the record within its topic; the key when left out. Derive it from the input, never
   * from a clock or a random number: a record id that is written twice is one record, and the first
   * write wins.
   */
  readonly id?: string;
  readonly headers?: Headers;
}

/** A record as it was stored. */
export interface StreamRecord {
  readonly topic: string;
  readonly partition: number;
  /** Position within the partition; grows by the order of writing, gaps are possible. */
  readonly offset: number;
  readonly key: string;
  readonly id: string;
  readonly value: Uint8Array;
  readonly headers: Headers;
  /** Milliseconds since 1970 at the writer. Information only: nothing is ordered by it. */
  readonly timestamp: number;
}

/** Name of the topic that takes what could not be processed of `topic`. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dead`;
}
