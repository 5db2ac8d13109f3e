import { z } from 'zod';

/** Codecs of Kafka; all but `none` and `gzip` need a package, see `codecs`. */
const codec = z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']);

/** How a cluster is reached and used; the `kafka` section of a configuration. Names and passwords come from the environment. */
export const kafkaOptions = z
  .strictObject({
    /** Partitions and copies of topics that do not exist yet. */
    partitions: z.number().int().min(1).max(10_000).default(8),
    replication: z.number().int().min(1).max(32).default(1),
    compression: codec.default('gzip'),
    /** npm package that gives a codec in the way of kafkajs, by codec: `{ snappy: kafkajs-snappy }`. */
    codecs: z.partialRecord(codec.exclude(['none', 'gzip']), z.string()).default({}),
    /** Encrypted connections: `true` for the system's certificates, or PEM files. */
    tls: z
      .union([
        z.boolean(),
        z.strictObject({ ca: z.string().optional(), cert: z.string().optional(), key: z.string().optional() }),
      ])
      .default(false),
    /** Authentication; user and password are MPA_KAFKA_USERNAME and MPA_KAFKA_PASSWORD. */
    sasl: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    /** Milliseconds without a sign of life after which a consumer's partitions go to others. */
    sessionTimeoutMs: z.number().int().min(1000).default(30_000),
    /** Milliseconds between signs of life; the work on a batch does not hold them up. */
    heartbeatIntervalMs: z.number().int().min(100).default(3_000),
  })
  .refine(({ heartbeatIntervalMs, sessionTimeoutMs }) => heartbeatIntervalMs * 2 <= sessionTimeoutMs, {
    path: ['heartbeatIntervalMs'],
    message: 'must be at most half of sessionTimeoutMs',
  });

/** See {@link kafkaOptions}. */
export type KafkaOptions = z.infer<typeof kafkaOptions>;

/** Name and password for `sasl`. */
export interface KafkaCredentials {
  readonly username: string;
  readonly password: string;
}

/** Those of MPA_KAFKA_USERNAME and MPA_KAFKA_PASSWORD; undefined unless both are set. */
export function kafkaCredentials(env: Readonly<Record<string, string | undefined>>): KafkaCredentials | undefined {
  const { MPA_KAFKA_USERNAME: username, MPA_KAFKA_PASSWORD: password } = env;
  return username && password ? { username, password } : undefined;
}
