import { checkTopic } from '../check-record.js';
import { systemClock, type Clock } from '../clock.js';
import type { StreamRecord } from '../record.js';
import type { Consumer, ConsumerOptions, Lag, ReadOptions, Streams } from '../streams.js';
import { EmbeddedConsumer } from './embedded-consumer.js';
import { EmbeddedProducer } from './embedded-producer.js';
import { LogStore } from './log-store.js';

/** Records held in memory at a time by `readAll`, at most. */
const READ_CHUNK = { maxRecords: 256, maxBytes: 4 * 2 ** 20 };

/** How the embedded log is opened. */
export interface EmbeddedStreamsOptions {
  /** Partitions of topics that do not exist yet. Default 8. */
  readonly partitions?: number;
  /**
   * Milliseconds without a sign of life after which a consumer's partitions go to others. Default 5,000.
   * A consumer renews every third of it; a handler that blocks the event loop longer may lose its batch.
   */
  readonly leaseMs?: number;
  /** Only looks at a log that is there: nothing can be sent or consumed, and a topic that is not there has no records. */
  readonly readOnly?: boolean;
  readonly clock?: Clock;
}

/**
 * Opens the log in `folder` (made if missing, unless `readOnly`): streams without a broker, for processes of one machine.
 * Any number of them may have it open; the folder must be on a local disk. Nothing is ever deleted.
 * Throws StreamsError `store` when the folder cannot be opened.
 */
export function openEmbeddedStreams(folder: string, options: EmbeddedStreamsOptions = {}): Streams {
  const { partitions = 8, leaseMs = 5_000, readOnly = false, clock = systemClock } = options;
  const store = new LogStore(folder, readOnly ? 'read-only' : { partitions });
  const producer = new EmbeddedProducer(store, clock);
  const consumers = new Set<Consumer>();
  let closing: Promise<void> | undefined;

  function consumer(group: string, topics: readonly string[], settings: ConsumerOptions = {}): Consumer {
    topics.forEach(checkTopic);
    const made = new EmbeddedConsumer(store, group, topics, settings, leaseMs, clock);
    consumers.add(made);
    return made;
  }

  async function* readAll(topic: string, { from, signal }: ReadOptions = {}): AsyncIterable<StreamRecord> {
    store.refresh();
    const count = store.partitions(topic);
    const ends = Array.from({ length: count }, (_, partition) => store.end(topic, partition));
    for (const [partition, end] of ends.entries()) {
      let offset = from?.get(partition) ?? 0;
      while (offset < end) {
        signal?.throwIfAborted();
        const records = store.read(topic, partition, { from: offset, end, ...READ_CHUNK });
        yield* records;
        offset = records.at(-1)!.offset + 1;
      }
    }
  }

  async function count(topic: string): Promise<number> {
    store.refresh();
    const ends = Array.from({ length: store.partitions(topic) }, (_, partition) => store.end(topic, partition));
    return ends.reduce((sum, end) => sum + end, 0);
  }

  async function lag(group: string, topic: string): Promise<Lag> {
    store.refresh();
    const read = Array.from({ length: store.partitions(topic) }, (_, partition) => ({
      partition,
      committed: store.offsets.get([group, topic, partition]) ?? 0,
      end: store.end(topic, partition),
    }));
    return { lag: read.reduce((sum, { committed, end }) => sum + end - committed, 0), partitions: read };
  }

  async function closeAll(): Promise<void> {
    producer.flush();
    await Promise.all([...consumers].map((each) => each.stop()));
    await store.close();
  }

  return { producer, consumer, readAll, count, lag, close: () => (closing ??= closeAll()) };
}
