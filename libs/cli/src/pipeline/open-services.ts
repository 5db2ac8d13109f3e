import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { annotator } from '@mpa/annotator';
import {
  AnnotatorService,
  createClient,
  EvaluatorService,
  ModelService,
  TrainerService,
  WorkerService,
  type ClientOptions,
} from '@mpa/contracts';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { createLogger, startInProcess, type RunningService, type Service } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import { trainer } from '@mpa/trainer';
import type { z } from 'zod';
import type { CommandContext } from '../command-context.js';
import { annotatorSettings, evaluatorEndpoint, type Settings } from './annotator-settings.js';
import type { Endpoints } from './endpoints.js';
import type { PipelineOptions } from './pipeline-options.js';
import type { Services, Worker } from './services.js';

/** Milliseconds after which a service elsewhere that answers no pings is lost: training steps and loading a model block. */
const LOST_MS = { annotator: 60_000, parity: 60_000, trainer: 600_000, evaluator: 600_000 };
/** Milliseconds that one image may take a model: the first call of a service also warms it up. */
const CALL_MS = 300_000;

/**
 * Reaches the services of `endpoints`, and starts the others in this process, on loopback. They share the run's streams
 * and log to `services.log` in the run folder.
 *
 * @param context where the services keep exported graphs and TensorFlow, and find keys
 */
export async function openServices(
  options: PipelineOptions,
  streams: Streams,
  { cacheDirectory, env }: Pick<CommandContext, 'cacheDirectory' | 'env'>,
): Promise<Services> {
  const { run, teacher, student, config, endpoints } = options;
  // Line by line: a service may still have something to say about a call that ended with it.
  const log = { write: (line: string): void => appendFileSync(join(run, 'services.log'), line) };
  const running: RunningService[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((service) => service.stop()));
  };
  try {
    const { images } = config;
    const cacheDir = join(cacheDirectory, 'graphs');
    const withImages = (settings: Settings): Settings => ({ ...(images && { images }), ...settings });
    const withModel = (settings: Settings, flags: { readonly checkpoint?: string }): Settings => ({
      ...settings,
      model: { cacheDir, ...(settings['model'] as object | undefined), ...flags },
    });
    // The service checks its settings itself, and names what is wrong.
    const start = async <S extends z.ZodObject>(service: Service<S>, settings: Settings): Promise<string> => {
      const started = await startInProcess(service, settings as z.input<S>, {
        logger: createLogger(service.name, 'info', log),
        openStreams: () => ({ streams, release: async () => undefined }),
        env,
      });
      running.push(started);
      return started.address;
    };
    const endpoint = { ...evaluatorEndpoint(options), ...(config.evaluator['endpoint'] as object | undefined) };
    const evaluatorSettings = { ...withModel(config.evaluator, {}), endpoint };
    const addresses = {
      annotator:
        teacher === undefined
          ? undefined
          : (endpoints.annotator ?? [
              await start(annotator, withImages(annotatorSettings({ ...options, teacher }, cacheDir))),
            ]),
      parity: endpoints.parity ?? [await start(parity, withModel(withImages(config.parity), { checkpoint: student }))],
      trainer: endpoints.trainer ?? (await start(trainer, withImages(config.trainer))),
      evaluator: endpoints.evaluator ?? (await start(evaluator, evaluatorSettings)),
    };
    return connect(addresses, endpoints, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

type Addresses = Readonly<Record<'trainer' | 'evaluator', string>> & {
  readonly annotator: readonly string[] | undefined;
  readonly parity: readonly string[];
};

/** @param elsewhere services that are not in this process, which may be lost without a word */
function connect(addresses: Addresses, elsewhere: Endpoints, stop: () => Promise<void>): Services {
  const optionsOf = (name: keyof Endpoints): ClientOptions => ({
    timeoutMs: CALL_MS,
    ...(elsewhere[name] && { lostAfterMs: LOST_MS[name] }),
  });
  const workers = (name: 'annotator' | 'parity', of: readonly string[]): Worker[] =>
    of.map((address) => ({ address, client: createClient(WorkerService, address, optionsOf(name)) }));
  const annotator = addresses.annotator && {
    service: createClient(AnnotatorService, addresses.annotator[0]!, optionsOf('annotator')),
    workers: workers('annotator', addresses.annotator),
  };
  const clients = {
    parityModel: createClient(ModelService, addresses.parity[0]!, optionsOf('parity')),
    trainer: createClient(TrainerService, addresses.trainer, optionsOf('trainer')),
    evaluator: createClient(EvaluatorService, addresses.evaluator, optionsOf('evaluator')),
  };
  const parityWorkers = workers('parity', addresses.parity);
  return {
    ...(annotator && { annotator }),
    ...clients,
    parityWorkers,
    async close() {
      const working = [...(annotator?.workers ?? []), ...parityWorkers].map(({ client }) => client);
      for (const client of [annotator?.service, ...working, ...Object.values(clients)]) client?.close();
      await stop();
    },
  };
}
