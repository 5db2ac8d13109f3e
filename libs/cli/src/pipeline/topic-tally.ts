import type { StreamRecord, Streams } from '@mpa/streams';

/** Counts a topic's records by outcome; each `refresh` reads only what is new. Memory: one number per outcome. */
export class TopicTally {
  readonly #counts = new Map<string, number>();
  readonly #next = new Map<number, number>();

  /** @param outcome the name to count a record under */
  constructor(
    private readonly streams: Streams,
    private readonly topic: string,
    private readonly outcome: (record: StreamRecord) => string,
  ) {}

  /** Reads what was written since the last call. */
  async refresh(): Promise<void> {
    for await (const record of this.streams.readAll(this.topic, { from: this.#next })) {
      const name = this.outcome(record);
      this.#counts.set(name, this.of(name) + 1);
      this.#next.set(record.partition, record.offset + 1);
    }
  }

  /** Records in all. */
  get total(): number {
    return [...this.#counts.values()].reduce((sum, n) => sum + n, 0);
  }

  /** Records of one outcome. */
  of(outcome: string): number {
    return this.#counts.get(outcome) ?? 0;
  }

  /** Records by outcome, of those outcomes that `includes` says. */
  byOutcome(includes: (outcome: string) => boolean): Record<string, number> {
    return Object.fromEntries([...this.#counts].filter(([name]) => includes(name)).sort());
  }
}
