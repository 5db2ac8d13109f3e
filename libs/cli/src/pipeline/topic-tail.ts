import type { StreamRecord, Streams } from '@mpa/streams';

/** Follows a topic: each reading gives what was written since the one before. One reading at a time. */
export class TopicTail {
  readonly #next = new Map<number, number>();

  constructor(
    private readonly streams: Pick<Streams, 'readAll'>,
    private readonly topic: string,
  ) {}

  /** The records that are new. */
  async *read(): AsyncGenerator<StreamRecord> {
    for await (const record of this.streams.readAll(this.topic, { from: this.#next })) {
      this.#next.set(record.partition, record.offset + 1);
      yield record;
    }
  }
}
