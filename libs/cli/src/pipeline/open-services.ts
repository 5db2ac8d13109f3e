import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { annotator } from '@mpa/annotator';
import {
  AnnotatorService,
  createClient,
  type Client,
  type ClientOptions,
  type DescService,
  EvaluatorService,
  ModelService,
  TrainerService,
} from '@mpa/contracts';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { createLogger, newToken, secretsIn, startInProcess, type RunningService, type Service } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import { trainer } from '@mpa/trainer';
import type { z } from 'zod';
import type { CommandContext } from '../command-context.js';
import { annotatorSettings, evaluatorEndpoint, type Settings } from './annotator-settings.js';
import type { PipelineOptions } from './pipeline-options.js';
import { reachEndpoints } from './reach-endpoints.js';
import type { Services } from './services.js';
import { Workers } from './workers.js';

/** Milliseconds after which a service elsewhere that answers no pings is lost: training steps and loading a model block. */
const LOST_MS = { annotator: 60_000, parity: 60_000, trainer: 600_000, evaluator: 600_000 };
/** Milliseconds that one image may take a model: the first call of a service also warms it up. */
const CALL_MS = 300_000;

/**
 * Reaches the services of `endpoints`, and starts the others in this process, on loopback and for this process alone. They share the run's
 * streams and log to `services.log` in the run folder.
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
  const token = newToken();
  const secrets = secretsIn(env);
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
        logger: createLogger(service.name, 'info', log, secrets),
        token,
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
    const reached = await reachEndpoints(endpoints, env);
    const isOwn = (address: string): boolean => running.some((service) => service.address === address);
    const optionsOf: OptionsOf = (name) => (address) => ({
      timeoutMs: CALL_MS,
      ...(isOwn(address) ? { token: () => token } : { ...reached, lostAfterMs: LOST_MS[name] }),
    });
    return connect(addresses, optionsOf, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

type Addresses = Readonly<Record<'trainer' | 'evaluator', string>> & {
  readonly annotator: readonly string[] | undefined;
  readonly parity: readonly string[];
};

/** How a service at an address is reached. */
type OptionsOf = (name: keyof Addresses) => (address: string) => ClientOptions;

function connect(addresses: Addresses, optionsOf: OptionsOf, stop: () => Promise<void>): Services {
  const clientOf = <S extends DescService>(service: S, name: keyof Addresses, address: string): Client<S> =>
    createClient(service, address, optionsOf(name)(address));
  const annotator = addresses.annotator && {
    service: clientOf(AnnotatorService, 'annotator', addresses.annotator[0]!),
    workers: new Workers(addresses.annotator, optionsOf('annotator')),
  };
  const clients = {
    parityModel: clientOf(ModelService, 'parity', addresses.parity[0]!),
    trainer: clientOf(TrainerService, 'trainer', addresses.trainer),
    evaluator: clientOf(EvaluatorService, 'evaluator', addresses.evaluator),
  };
  const parityWorkers = new Workers(addresses.parity, optionsOf('parity'));
  return {
    ...(annotator && { annotator }),
    ...clients,
    parityWorkers,
    async close() {
      const ours = [annotator?.service, annotator?.workers, parityWorkers, ...Object.values(clients)];
      for (const each of ours) each?.close();
      await stop();
    },
  };
}
