import { RpcError } from '@mpa/contracts';
import type { ConsumeResponse, Handlers, WorkerService } from '@mpa/contracts';
import type { Batch, ConsumerEvent, StreamRecord, Streams } from '@mpa/streams';
import { AsyncQueue } from './async-queue.js';
import { WorkerMetrics } from './metrics/worker-metrics.js';
import type { ServiceContext } from './service.js';
import { FollowedBatch } from './tracing/followed-batch.js';

/** Work between two topics. */
export interface Stage {
  /** Name of the consumer group: its members share the work. */
  readonly group: string;
  /** Name of the input topic. */
  readonly input: string;
  /** Most records in a batch. */
  readonly batch: number;
  /** Batches in work at once. Default 2: one in the model, one being read and decoded. */
  readonly concurrency?: number;
  /**
   * Turns a batch into records, sent through it; a batch may be prepared while another is in the model. What it throws is the
   * batch's fault, which comes again; an EndOfWork ends the work on the log.
   */
  process(batch: Batch): Promise<BatchReport>;
}

/** What became of a batch. */
export interface BatchReport {
  /** What became of each record of the batch; one that ends here or was put aside may be left out. */
  readonly outcomes: ReadonlyMap<StreamRecord, string>;
  /** Seconds spent in the model. */
  readonly modelSeconds: number;
}

/** No other batch would fare better: the call ends with its cause, and the batch comes again in the next call. */
export class EndOfWork extends Error {
  override readonly name = 'EndOfWork';
  /** The batch is not to blame, however often it comes. */
  readonly retriable = true;

  constructor(override readonly cause: Error) {
    super(cause.message);
  }
}

const CONCURRENCY = 2;

/** A finished batch, as the caller is told of it. */
type ConsumedBatch = Pick<ConsumeResponse, 'outcomes' | 'seconds' | 'modelSeconds'>;

/** WorkerService for a stage. `stage` is called for every log anew, so that it may keep counts over a run. */
export function workerHandlers(
  stage: (streams: Streams) => Promise<Stage>,
  { logger, openStreams, places, stopping, metrics }: ServiceContext,
): Handlers<typeof WorkerService> {
  const counts = new WorkerMetrics(metrics, (error) => logger.warn({ err: error }, 'the lag is not known'));
  return {
    async *consume({ streams: place }, { signal: hungUp }) {
      if (place === '')
        throw new RpcError(
          'INVALID_ARGUMENT',
          'set `streams` to the folder of an embedded log, or kafka://HOST:PORT/PREFIX',
        );
      await places.checkWrite(place);
      const { streams, release } = openStreams(place);
      let leave = (): void => undefined;
      try {
        const { group, input, batch: maxRecords, concurrency = CONCURRENCY, process } = await stage(streams);
        const consumer = streams.consumer(group, [input], {
          maxRecords,
          concurrency,
          onEvent: (event) => {
            logger[event.kind === 'retry' ? 'warn' : 'debug'](eventFields(event), event.kind);
            counts.event(event.kind);
          },
        });
        leave = counts.work({ group, topic: input, streams }, maxRecords);
        const stop = (): void => void consumer.stop();
        const reports = new AsyncQueue<ConsumedBatch>();
        const running = consumer.run(async (batch) => {
          const report = await processed(new FollowedBatch(batch, group), process, counts).catch((error: unknown) => {
            if (error instanceof EndOfWork) {
              reports.fail(error.cause);
              stop();
            }
            throw error;
          });
          reports.push(report);
        });
        running.then(
          () => reports.end(),
          (error: Error) => reports.fail(error),
        );
        const ending = AbortSignal.any([hungUp, stopping]);
        ending.addEventListener('abort', stop, { once: true });
        if (ending.aborted) stop();
        try {
          yield* reports;
        } finally {
          await consumer.stop();
          await running;
        }
        if (stopping.aborted) throw new RpcError('UNAVAILABLE', 'the service is stopping; ask another one');
      } finally {
        leave();
        await release();
      }
    },
  };
}

/** Has a stage process a batch, and counts it. */
async function processed(
  batch: FollowedBatch,
  process: Stage['process'],
  counts: WorkerMetrics,
): Promise<ConsumedBatch> {
  const began = performance.now();
  const { outcomes, modelSeconds } = await batch.process(process);
  const report = { outcomes: countBy(outcomes), modelSeconds, seconds: (performance.now() - began) / 1000 };
  counts.batch(batch, report);
  return report;
}

function countBy(outcomes: ReadonlyMap<StreamRecord, string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes.values()) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

function eventFields(event: ConsumerEvent): object {
  const { topic, partition } = event;
  return 'error' in event ? { topic, partition, offset: event.offset, err: event.error } : { topic, partition };
}
