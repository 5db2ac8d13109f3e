import { setTimeout as pause } from 'node:timers/promises';
import { topics } from '@mpa/service-kit';
import { deadLetterTopic, openEmbeddedStreams, type OutgoingRecord, type Streams } from '@mpa/streams';
import type { Progress } from '../progress/progress.js';

/** Records copied at a time. */
const BATCH = 1024;
/** Milliseconds between two looks for new ones. */
const LOOK_EVERY = 500;

/**
 * Copies a run's records from Kafka into its folder while they are being written, for `mpa console`, `mpa analyze` and `mpa export`,
 * which look there. What the folder has already, from an earlier session, is not copied again.
 */
export class RecordKeeper {
  readonly #kept: Streams;
  readonly #next = new Map<string, Map<number, number>>();
  readonly #over = new AbortController();
  readonly #following: Promise<void>;

  /**
   * Begins at once. Throws StreamsError `store` when the folder's log cannot be opened; a copy that fails later is noted and tried again.
   *
   * @param folder of the run's streams
   */
  constructor(
    private readonly streams: Pick<Streams, 'readAll'>,
    folder: string,
    private readonly progress: Pick<Progress, 'note'>,
  ) {
    this.#kept = openEmbeddedStreams(folder);
    this.#following = this.#follow();
  }

  /** Copies the last records; resolves to the log that has all. Throws StreamsError `store` when it cannot be written. */
  async finish(): Promise<Streams> {
    await this.#stop();
    await this.#copy();
    return this.#kept;
  }

  /** Leaves off, and closes the log. */
  async close(): Promise<void> {
    await this.#stop();
    await this.#kept.close();
  }

  async #stop(): Promise<void> {
    this.#over.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#over;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await this.#copy(signal);
        isFailing = false;
      } catch (error) {
        if (!isFailing && !signal.aborted) this.progress.note(`records are not copied into the run's folder (${(error as Error).message}); trying again`); // prettier-ignore
        isFailing = true;
      }
      await pause(LOOK_EVERY, undefined, { signal }).catch(() => undefined);
    }
  }

  async #copy(signal?: AbortSignal): Promise<void> {
    const names = Object.values(topics).map(({ name }) => name);
    for (const topic of [...names, ...names.map(deadLetterTopic)]) await this.#copyTopic(topic, signal);
  }

  async #copyTopic(topic: string, signal?: AbortSignal): Promise<void> {
    const next = this.#next.get(topic) ?? new Map<number, number>();
    this.#next.set(topic, next);
    let batch: OutgoingRecord[] = [];
    const read = new Map<number, number>();
    const write = async (): Promise<void> => {
      if (batch.length > 0) await this.#kept.producer.send(topic, batch);
      for (const [partition, offset] of read) next.set(partition, offset);
      batch = [];
    };
    for await (const record of this.streams.readAll(topic, { from: next, ...(signal && { signal }) })) {
      batch.push(record);
      read.set(record.partition, record.offset + 1);
      if (batch.length === BATCH) await write();
    }
    await write();
  }
}
