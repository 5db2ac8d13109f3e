import { setTimeout as delay } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { messageLimits, pings } from '@mpa/contracts';
import { localPath } from '@mpa/storage';
import { isKafkaPlace, kafkaCredentials, kafkaOptions, openStreams, type KafkaCredentials } from '@mpa/streams';
import { HealthImplementation } from 'grpc-health-check';
import { z } from 'zod';
import { CallsInWork } from './calls-in-work.js';
import { ConfigError } from './config-error.js';
import type { Logger } from './logger.js';
import { logLevel } from './logger.js';
import { checkConfig } from './read-config.js';
import { addReflection } from './reflection.js';
import { statusOf } from './status-of.js';
import type { OpenStreams, Service, ServiceContext, ServiceParts } from './service.js';

/** Milliseconds after which a caller that answers no pings is gone, and its calls end: longer than any training step blocks. */
const CALLER_LOST_MS = 10 * 60_000;

/** Configuration of every service's server. */
export const serverConfig = z.strictObject({
  /** Host and port to listen on; port 0 takes a free one. */
  listen: z.string().regex(/:\d+$/, 'must be HOST:PORT, such as 0.0.0.0:50051').default('127.0.0.1:0'),
  logLevel: logLevel.default('info'),
  /** Seconds that calls in work may take once the service is to stop. */
  graceSeconds: z.number().positive().default(30),
  /** How a Kafka cluster is reached, when a caller's streams are there. */
  kafka: kafkaOptions.prefault({}),
});

/** Surroundings of a service. */
export interface StartOptions {
  readonly logger: Logger;
  readonly credentials?: ServerCredentials;
  /** Default: the caller's place, opened for each caller. */
  readonly openStreams?: OpenStreams;
  /** Environment variables that the service may read; default none. */
  readonly env?: ServiceContext['env'];
}

/** A service that answers. */
export interface RunningService {
  /** host:port */
  readonly address: string;
  /**
   * Says NOT_SERVING, lets workers and calls finish for `graceSeconds`, then ends what is left and frees everything.
   * Idempotent.
   */
  stop(): Promise<void>;
}

function openPlaces({ kafka }: z.output<typeof serverConfig>, credentials: KafkaCredentials | undefined): OpenStreams {
  return (place) => {
    const streams = openStreams(isKafkaPlace(place) ? place : localPath(place), kafka, credentials);
    return { streams, release: () => streams.close() };
  };
}

/** The whole configuration of a service: the server's keys and its own. */
export function configSchema<S extends z.ZodObject>(service: Service<S>): z.ZodObject {
  return z.strictObject({ ...serverConfig.shape, ...service.config.shape });
}

/**
 * Starts a service from its raw configuration, with health (grpc.health.v1) and reflection.
 * Throws ConfigError for the configuration or an address that cannot be listened on, and what the service's start throws.
 */
export async function startService<S extends z.ZodObject>(
  service: Service<S>,
  raw: z.input<S> & z.input<typeof serverConfig>,
  options: StartOptions,
): Promise<RunningService> {
  const whole = checkConfig(raw, configSchema(service), `configuration of ${service.name}`);
  const server = pick(whole, serverConfig);
  const { logger, credentials = ServerCredentials.createInsecure(), env = {} } = options;
  const stopping = new AbortController();
  const onError = (path: string, error: Error): void =>
    void logger.warn({ path, err: error, cause: error.cause }, 'call failed');
  const parts = await service.start(pick(whole, service.config), {
    logger,
    stopping: stopping.signal,
    openStreams: options.openStreams ?? openPlaces(server, kafkaCredentials(env)),
    env,
    implementOptions: { onError, convert: statusOf },
  });
  try {
    return await serve(service.name, parts, server, { logger, credentials, stopping });
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** The same on a free port of the loopback interface, for several services in one process. */
export function startInProcess<S extends z.ZodObject>(
  service: Service<S>,
  raw: z.input<S>,
  options: StartOptions,
): Promise<RunningService> {
  return startService(service, { ...raw, listen: '127.0.0.1:0' }, options);
}

async function serve(
  name: string,
  parts: ServiceParts,
  config: z.output<typeof serverConfig>,
  { logger, credentials, stopping }: { logger: Logger; credentials: ServerCredentials; stopping: AbortController },
): Promise<RunningService> {
  const server = new Server({ ...messageLimits, ...pings(CALLER_LOST_MS) });
  const calls = new CallsInWork();
  const names = ['', ...parts.implementations.map(({ service }) => service.typeName)];
  const health = new HealthImplementation(Object.fromEntries(names.map((each) => [each, 'SERVING'])));
  for (const each of parts.implementations) server.addService(each.definition, calls.count(each));
  health.addToServer(server);
  addReflection(
    server,
    parts.implementations.map(({ service }) => service),
  );
  const port = await bind(server, config.listen, credentials);
  const address = `${config.listen.replace(/:\d+$/, '')}:${port}`;
  logger.info({ address }, `${name} is serving`);

  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    names.forEach((each) => health.setStatus(each, 'NOT_SERVING'));
    stopping.abort();
    const finished = await within(calls.idle(), config.graceSeconds * 1000);
    if (!finished) logger.warn('calls were cut off: graceSeconds is over');
    // Only watchers of the health service are left; they get a moment for the last message.
    await within(new Promise((resolve) => server.tryShutdown(resolve)), finished ? 250 : 0);
    server.forceShutdown();
    await parts.close();
    logger.info(`${name} has stopped`);
  }
  return { address, stop: () => (stopped ??= stop()) };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error) reject(new ConfigError(`cannot listen on ${address}: ${error.message}`, { cause: error }));
      else resolve(port);
    });
  });
}

async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const timeout = new AbortController();
  const late = delay(milliseconds, false, { signal: timeout.signal }).catch(() => false);
  const inTime = await Promise.race([work.then(() => true), late]);
  timeout.abort();
  return inTime;
}

function pick<S extends z.ZodObject>(whole: Record<string, unknown>, schema: S): z.output<S> {
  return Object.fromEntries(Object.keys(schema.shape).map((key) => [key, whole[key]])) as z.output<S>;
}
