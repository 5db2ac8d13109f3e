import { setTimeout as delay } from 'node:timers/promises';
import { Server, ServerCredentials, type ChannelOptions, type ServerInterceptor } from '@grpc/grpc-js';
import { messageLimits, pings } from '@mpa/contracts';
import { localPath } from '@mpa/storage';
import { isKafkaPlace, kafkaCredentials, kafkaOptions, openStreams, type KafkaCredentials } from '@mpa/streams';
import { HealthImplementation } from 'grpc-health-check';
import { z } from 'zod';
import { CallGate, callLimits } from './call-gate.js';
import { Callers, callersConfig } from './callers.js';
import { ConfigError } from './config-error.js';
import { checkExposure } from './exposure.js';
import { hostPort } from './host-port.js';
import type { Logger } from './logger.js';
import { logLevel } from './logger.js';
import { metricsConfig, openMetrics, type OpenMetrics } from './metrics/open-metrics.js';
import { Places, placesConfig } from './places.js';
import { checkConfig } from './read-config.js';
import { addReflection, REFLECTION } from './reflection.js';
import { serverCredentials, serverTls } from './server-tls.js';
import { statusOf, unavailable } from './status-of.js';
import type { OpenStreams, Service, ServiceContext, ServiceParts } from './service.js';

/** Streams on one connection; more wait at the caller's end. */
const MOST_STREAMS = 1024;
/** Milliseconds after which a caller that answers no pings is gone, and its calls end: longer than any training step blocks. */
const CALLER_LOST_MS = 10 * 60_000;

/**
 * What health, which anybody may ask, and reflection may take beside the service's own calls: few at once, since a request may be as large as any
 * other's on its way, and for a short time.
 */
const ASIDE_LIMITS = { atOnce: 4, waiting: 100, streams: 4, requestSeconds: 5 };
/** The same at the address of `listenHealth`. */
const PROBE_LIMITS = { ...ASIDE_LIMITS, atOnce: 64, streams: 64 };
/** Largest request there: the name of a service. */
const PROBE_BYTES = 1024;

/** Configuration of every service's server. */
export const serverConfig = z.strictObject({
  /** Host and port to listen on; port 0 takes a free one. */
  listen: hostPort.default('127.0.0.1:0'),
  /** A second address, unencrypted, that answers health and nothing else, for orchestrators that do not speak TLS. */
  listenHealth: hostPort.optional(),
  tls: serverTls.optional(),
  /** Whether other machines may be listened to without `tls`. */
  insecure: z.boolean().default(false),
  callers: callersConfig,
  /** On loopback `any` when left out. */
  places: placesConfig.optional(),
  limits: callLimits,
  logLevel: logLevel.default('info'),
  /** Seconds that calls in work may take once the service is to stop. */
  graceSeconds: z.number().positive().default(30),
  /**
   * Seconds after which a connection takes no new calls, so that clients look the service's name up again and find new
   * processes. Calls in work go on, however long. Default: none.
   */
  maxConnectionAgeSeconds: z.number().positive().optional(),
  /** How a Kafka cluster is reached, when a caller's streams are there. */
  kafka: kafkaOptions.prefault({}),
  /** Where Prometheus finds the metrics, at `/metrics`; nowhere by default. */
  metrics: metricsConfig,
});

/** Surroundings of a service. */
export interface StartOptions {
  readonly logger: Logger;
  /** Answers whoever has this token, beside `callers`; nobody else, where there are none. */
  readonly token?: string;
  /** Default: the caller's place, opened for each caller. */
  readonly openStreams?: OpenStreams;
  /** Told that only a new process can do the service's work. Its calls then end with UNAVAILABLE, if it is stopped at once. */
  readonly onFailure?: (error: Error) => void;
  /** Environment variables that the service may read; default none. */
  readonly env?: ServiceContext['env'];
}

/** A service that answers. */
export interface RunningService {
  /** host:port */
  readonly address: string;
  /** That of `listenHealth`, if it was configured. */
  readonly healthAddress?: string;
  /** URL of the page with its metrics, if it has one. */
  readonly metricsUrl?: string | undefined;
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
  const { logger, env = {} } = options;
  checkExposure(server, logger);
  const credentials = await serverCredentials(server.tls, logger);
  const stopping = new AbortController();
  const failing = new AbortController();
  const onError = (path: string, error: Error): void =>
    void logger.warn({ path, err: error, cause: error.cause }, 'call failed');
  const convert = (error: unknown): ReturnType<typeof statusOf> =>
    failing.signal.aborted && stopping.signal.aborted ? unavailable(error) : statusOf(error);
  const places = await Places.of(server.places ?? 'any');
  const watched = await openMetrics(service.name, server.metrics);
  const { metrics, calls } = watched;
  const context: ServiceContext = {
    logger,
    stopping: stopping.signal,
    fail: (error) => failing.abort(error),
    places,
    openStreams: options.openStreams ?? openPlaces(server, kafkaCredentials(env)),
    env,
    metrics,
    implementOptions: { onError, convert, onCall: calls.onCall },
  };
  let parts: ServiceParts | undefined;
  try {
    parts = await watched.run(() => service.start(pick(whole, service.config), context));
    return await serve(service.name, parts, server, {
      ...options,
      credentials,
      stopping,
      failing: failing.signal,
      watched,
    });
  } catch (error) {
    await parts?.close();
    await watched.close();
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

interface Serving {
  readonly credentials: ServerCredentials;
  readonly stopping: AbortController;
  /** Aborts, with the error, when the service has failed for good. */
  readonly failing: AbortSignal;
  readonly watched: OpenMetrics;
}

async function serve(
  name: string,
  parts: ServiceParts,
  config: z.output<typeof serverConfig>,
  { logger, env = {}, token, onFailure, credentials, stopping, failing, watched }: StartOptions & Serving,
): Promise<RunningService> {
  const services = parts.implementations.map(({ service }) => service);
  const names = ['', ...services.map(({ typeName }) => typeName)];
  const callers = await Callers.of(config.callers, [...names.slice(1), ...REFLECTION], env, token);
  const calls = new CallGate(config.limits, (answer) => watched.run(answer));
  const asides = new CallGate(ASIDE_LIMITS, (answer) => answer());
  const probes = new CallGate(PROBE_LIMITS, (answer) => answer());
  const server = newServer(
    [...(callers ? [callers.interceptor] : []), calls.interceptor, asides.interceptor],
    ageLimit(config.maxConnectionAgeSeconds),
  );
  for (const each of parts.implementations) {
    watched.calls.expect(each);
    server.addService(each.definition, calls.guard(each));
  }
  addReflection(asides.guarding(server), services);
  const health = new HealthImplementation(Object.fromEntries(names.map((each) => [each, 'SERVING'])));
  const probed = newServer([probes.interceptor], { 'grpc.max_receive_message_length': PROBE_BYTES });
  for (const each of [asides.guarding(server), probes.guarding(probed)]) health.addToServer(each);
  const close = (): void => [server, probed].forEach((each) => each.forceShutdown());
  const addresses = await listen(server, probed, config, credentials).catch((error: unknown) => {
    close();
    throw error;
  });
  logger.info({ ...addresses, metrics: watched.url }, `${name} is serving`);

  const refuse = (): void => names.forEach((each) => health.setStatus(each, 'NOT_SERVING'));
  const onFail = (): void => {
    const error = failing.reason as Error;
    logger.fatal({ err: error }, `${name} has failed: only a new process goes on`);
    refuse();
    onFailure?.(error);
  };
  failing.addEventListener('abort', onFail, { once: true });

  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    refuse();
    stopping.abort();
    const finished = await within(calls.idle(), config.graceSeconds * 1000);
    if (!finished) logger.warn('calls were cut off: graceSeconds is over');
    // Only watchers of the health service are left; they get a moment for the last message.
    await within(new Promise((resolve) => server.tryShutdown(resolve)), finished ? 250 : 0);
    close();
    await parts.close();
    await watched.close();
    logger.info(`${name} has stopped`);
  }
  return { ...addresses, metricsUrl: watched.url, stop: () => (stopped ??= stop()) };
}

async function listen(
  server: Server,
  probed: Server,
  config: Pick<z.output<typeof serverConfig>, 'listen' | 'listenHealth'>,
  credentials: ServerCredentials,
): Promise<Pick<RunningService, 'address' | 'healthAddress'>> {
  const address = await bind(server, config.listen, credentials);
  if (config.listenHealth === undefined) return { address };
  return { address, healthAddress: await bind(probed, config.listenHealth, ServerCredentials.createInsecure()) };
}

function newServer(interceptors: ServerInterceptor[], options: ChannelOptions): Server {
  return new Server({
    ...messageLimits,
    ...pings(CALLER_LOST_MS),
    'grpc.max_concurrent_streams': MOST_STREAMS,
    ...options,
    interceptors,
  });
}

function ageLimit(seconds: number | undefined): ChannelOptions {
  return seconds === undefined ? {} : { 'grpc.max_connection_age_ms': seconds * 1000 };
}

/** The address with the port that was taken. */
function bind(server: Server, address: string, credentials: ServerCredentials): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error) reject(new ConfigError(`cannot listen on ${address}: ${error.message}`, { cause: error }));
      else resolve(address.replace(/:\d+$/, `:${port}`));
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
