import type { Implementation, ImplementOptions } from '@mpa/contracts';
import type { Streams } from '@mpa/streams';
import type { z } from 'zod';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics/metrics.js';
import type { Places } from './places.js';

/**
 * A service as a value: started alone by `runService`, or among others by `startInProcess`.
 *
 *     export const annotator: Service<typeof annotatorConfig> = { name: 'annotator', config: annotatorConfig, start };
 */
export interface Service<S extends z.ZodObject> {
  readonly name: string;
  /** A strict object: what the configuration file may hold besides the server's own keys. */
  readonly config: S;
  /** Loads what the service needs. What it throws ends the start. */
  start(config: z.output<S>, context: ServiceContext): Promise<ServiceParts>;
}

/** What a service is given. */
export interface ServiceContext {
  readonly logger: Logger;
  /** Aborts when the service is to stop: finish or hand back what is held, and end endless streams. */
  readonly stopping: AbortSignal;
  /**
   * Says that only a new process can do the service's work, as when a device is gone: the service is NOT_SERVING from now on, and a
   * process of its own ends with exit code 1. Only the first call counts.
   */
  readonly fail: (error: Error) => void;
  /** Opens the sample streams at a place; see {@link OpenStreams}. */
  readonly openStreams: OpenStreams;
  /** What requests may name: whoever takes a path or URI from one asks here first. */
  readonly places: Places;
  /** Environment variables, for what no configuration file may hold: keys. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the service counts; workers and calls count by themselves. */
  readonly metrics: Metrics;
  /** Options for every `implement`: logs what fails, counts calls. */
  readonly implementOptions: ImplementOptions;
}

/** Opens streams by a path or file URI, or a `kafka://` place; `release` lets go of them, and closes them unless others share them. */
export type OpenStreams = (place: string) => { readonly streams: Streams; release(): Promise<void> };

/** What a started service gives back. */
export interface ServiceParts {
  readonly implementations: readonly Implementation[];
  /** Frees what the service holds; called once, when no call is in work any more. */
  close(): Promise<void>;
}
