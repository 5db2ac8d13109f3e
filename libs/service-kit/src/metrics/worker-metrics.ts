import { setTimeout as pause } from 'node:timers/promises';
import type { ConsumerEvent, Streams } from '@mpa/streams';
import type { Gauge } from 'prom-client';
import type { Metrics } from './metrics.js';

const RECORDS = [1, 2, 4, 8, 16, 32, 64, 128];
const SECONDS = [0.1, 0.3, 1, 3, 10, 30, 100, 300];

/** Longest time to wait for the position of a group: a page without it is better than none. */
const LAG_MS = 5_000;

/** What a worker reads. */
export interface WorkedLog {
  readonly group: string;
  readonly topic: string;
  readonly streams: Pick<Streams, 'lag'>;
}

interface DoneBatch {
  readonly records: { readonly length: number };
  /** Records that were put aside. */
  readonly deadLetters: number;
}

interface BatchResult {
  /** Records by what became of them. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly seconds: number;
}

type LagLabel = 'group' | 'topic' | 'partition';

/** Counts the work of a stage between two topics. What comes again, after a failure, counts again. */
export class WorkerMetrics {
  readonly #batchRecords;
  readonly #batchLimit;
  readonly #batchSeconds;
  readonly #retries;
  readonly #lostBatches;
  readonly #deadLetters;
  readonly #logs = new Set<WorkedLog>();

  /** @param onError told why a group's lag is not known */
  constructor(
    private readonly metrics: Metrics,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#batchRecords = metrics.histogram({ name: 'mpa_stage_batch_records', help: 'Records in a batch' }, RECORDS);
    this.#batchLimit = metrics.gauge({ name: 'mpa_stage_batch_limit_records', help: 'Most records in a batch' });
    this.#batchSeconds = metrics.histogram(
      { name: 'mpa_stage_batch_seconds', help: 'Seconds from the arrival of a batch to its end' },
      SECONDS,
    );
    this.#retries = metrics.counter({
      name: 'mpa_stage_retries_total',
      help: 'Batches that failed and come again',
    });
    this.#lostBatches = metrics.counter({
      name: 'mpa_stage_lost_batches_total',
      help: 'Batches whose partition went to another consumer meanwhile',
    });
    this.#deadLetters = metrics.counter({
      name: 'mpa_dead_letters_total',
      help: 'Records put aside because they could not be processed',
    });
    metrics.gauge(
      {
        name: 'mpa_consumer_lag_records',
        help: 'Records that the group has not done yet, of the logs that this process works on',
        labels: ['group', 'topic', 'partition'],
      },
      (gauge) => this.#measureLag(gauge),
    );
  }

  /** Work on a log begins, in batches of at most `limit` records; returns what says that it has ended. */
  work(log: WorkedLog, limit: number): () => void {
    this.#batchLimit.set(limit);
    this.#logs.add(log);
    return () => void this.#logs.delete(log);
  }

  /** A batch is done. */
  batch({ records, deadLetters }: DoneBatch, { outcomes, seconds }: BatchResult): void {
    this.#batchRecords.observe(records.length);
    this.#batchSeconds.observe(seconds);
    this.#deadLetters.inc(deadLetters);
    for (const [outcome, count] of Object.entries(outcomes)) this.metrics.records.inc({ outcome }, count);
  }

  /** Something happened to the consumer. */
  event(kind: ConsumerEvent['kind']): void {
    if (kind === 'retry') this.#retries.inc();
    if (kind === 'stale') this.#lostBatches.inc();
    if (kind === 'dead-letter') this.#deadLetters.inc();
  }

  async #measureLag(gauge: Gauge<LagLabel>): Promise<void> {
    const logs = [...this.#logs];
    const lags = await Promise.all(logs.map((log) => lagOf(log).catch(this.onError)));
    gauge.reset();
    logs.forEach(({ group, topic }, i) => {
      for (const { partition, committed, end } of lags[i]?.partitions ?? []) {
        gauge.inc({ group, topic, partition: String(partition) }, Math.max(0, end - committed));
      }
    });
  }
}

async function lagOf({ group, topic, streams }: WorkedLog): ReturnType<Streams['lag']> {
  const late = async (): Promise<never> => {
    await pause(LAG_MS, undefined, { ref: false });
    throw new Error(`the position of ${group} on ${topic} was not told within ${LAG_MS / 1000} s`);
  };
  return Promise.race([streams.lag(group, topic), late()]);
}
