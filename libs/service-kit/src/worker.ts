import { RpcError } from '@mpa/contracts';
import type { Handlers, WorkerService } from '@mpa/contracts';
import type { Batch, ConsumerEvent } from '@mpa/streams';
import { AsyncQueue } from './async-queue.js';
import type { ServiceContext } from './service.js';

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
  /** Number of records by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
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

/** WorkerService for a stage. `stage` is called for every log anew, so that it may keep counts over a run. */
export function workerHandlers(
  stage: (streams: ReturnType<ServiceContext['openStreams']>['streams']) => Promise<Stage>,
  { logger, openStreams, places, stopping }: ServiceContext,
): Handlers<typeof WorkerService> {
  return {
    async *consume({ streams: place }, { signal: hungUp }) {
      if (place === '')
        throw new RpcError(
          'INVALID_ARGUMENT',
          'set `streams` to the folder of an embedded log, or kafka://HOST:PORT/PREFIX',
        );
      await places.checkWrite(place);
      const { streams, release } = openStreams(place);
      try {
        const { group, input, batch: maxRecords, concurrency = CONCURRENCY, process } = await stage(streams);
        const consumer = streams.consumer(group, [input], {
          maxRecords,
          concurrency,
          onEvent: (event) => logger[event.kind === 'retry' ? 'warn' : 'debug'](eventFields(event), event.kind),
        });
        const stop = (): void => void consumer.stop();
        const reports = new AsyncQueue<BatchReport & { seconds: number }>();
        const running = consumer.run(async (batch) => {
          const began = performance.now();
          const report = await process(batch).catch((error: unknown) => {
            if (error instanceof EndOfWork) {
              reports.fail(error.cause);
              stop();
            }
            throw error;
          });
          reports.push({ ...report, seconds: (performance.now() - began) / 1000 });
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
        await release();
      }
    },
  };
}

function eventFields(event: ConsumerEvent): object {
  const { topic, partition } = event;
  return 'error' in event ? { topic, partition, offset: event.offset, err: event.error } : { topic, partition };
}
