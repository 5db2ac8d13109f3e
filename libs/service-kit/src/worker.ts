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
  /** Turns a batch into records, sent through it; a batch may be prepared while another is in the model. */
  process(batch: Batch): Promise<BatchReport>;
}

/** What became of a batch. */
export interface BatchReport {
  /** Number of records by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Seconds spent in the model. */
  readonly modelSeconds: number;
}

/** Batches in work at once: one in the model, one being read and decoded. */
const CONCURRENCY = 2;

/** WorkerService for a stage. `stage` is called for every log anew, so that it may keep counts over a run. */
export function workerHandlers(
  stage: (streams: ReturnType<ServiceContext['openStreams']>['streams']) => Promise<Stage>,
  { logger, openStreams, stopping }: ServiceContext,
): Handlers<typeof WorkerService> {
  return {
    async *consume({ streams: place }, { signal: hungUp }) {
      if (place === '') throw new RpcError('INVALID_ARGUMENT', 'set `streams` to the folder of the embedded log');
      const { streams, release } = openStreams(place);
      try {
        const { group, input, batch: maxRecords, process } = await stage(streams);
        const consumer = streams.consumer(group, [input], {
          maxRecords,
          concurrency: CONCURRENCY,
          onEvent: (event) => logger[event.kind === 'retry' ? 'warn' : 'debug'](eventFields(event), event.kind),
        });
        const reports = new AsyncQueue<BatchReport & { seconds: number }>();
        const running = consumer.run(async (batch) => {
          const began = performance.now();
          const report = await process(batch);
          reports.push({ ...report, seconds: (performance.now() - began) / 1000 });
        });
        running.then(
          () => reports.end(),
          (error: Error) => reports.fail(error),
        );
        const stop = (): void => void consumer.stop();
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
