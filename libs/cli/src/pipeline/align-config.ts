import { imageAccess, metricsConfig, processConfig } from '@mpa/service-kit';
import { kafkaOptions } from '@mpa/streams';
import { z } from 'zod';

const settings = z.record(z.string(), z.unknown()).default({});

/** `--config FILE`: settings of each service in this process, by the service's own keys; the service checks them. */
export const alignConfigSchema = z.strictObject({
  annotator: settings,
  parity: settings,
  trainer: settings,
  evaluator: settings,
  /** From where images are listed and read; for the services in this process that say nothing else. */
  images: imageAccess.optional(),
  /** How Kafka is reached, with `--streams kafka`. */
  kafka: kafkaOptions.prefault({}),
  /** Seconds that a service or cluster may be gone. */
  patienceSeconds: z.number().positive().default(600),
  /** Where Prometheus finds what the run still waits for. */
  metrics: metricsConfig,
  ...processConfig.shape,
});

/** See {@link alignConfigSchema}. */
export type AlignConfig = z.infer<typeof alignConfigSchema>;
