import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import kafkajs, { CompressionTypes, Kafka, logLevel, type KafkaConfig } from 'kafkajs';
import { StreamsError } from '../streams-error.js';
import type { KafkaCredentials, KafkaOptions } from './kafka-options.js';

const COMPRESSION = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const;

/** Compresses and decompresses a batch of records. */
interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}
/** kafkajs's own table, which its types do not let be extended. */
const codecTable = kafkajs.CompressionCodecs as Partial<Record<CompressionTypes, () => Codec>>;

/** A client of the cluster, which has not connected yet. Throws StreamsError `store` for files and settings that cannot be used. */
export function kafkaClient(
  brokers: readonly string[],
  options: KafkaOptions,
  credentials: KafkaCredentials | undefined,
): Kafka {
  registerCodecs(options.codecs);
  compressionOf(options);
  return new Kafka({
    clientId: `mpa-${hostname()}-${process.pid}`,
    brokers: [...brokers],
    connectionTimeout: 10_000,
    // What goes wrong comes back as an error; its own log would go to standard output.
    logLevel: logLevel.NOTHING,
    ...security(options, credentials),
  });
}

/** The codec of what is written. Throws StreamsError `store` when no package is named for it. */
export function compressionOf({ compression, codecs }: KafkaOptions): CompressionTypes {
  if (compression !== 'none' && compression !== 'gzip' && !codecs[compression]) {
    throw new StreamsError(
      'store',
      `kafka.compression is ${compression}: install a package that gives it to kafkajs, and name it in kafka.codecs.${compression}`,
    );
  }
  return COMPRESSION[compression];
}

function registerCodecs(codecs: KafkaOptions['codecs']): void {
  const require = createRequire(import.meta.url);
  for (const [name, module] of Object.entries(codecs) as [keyof typeof COMPRESSION, string][]) {
    try {
      const codec = codecOf(require(module));
      codecTable[COMPRESSION[name]] = () => codec;
    } catch (cause) {
      throw new StreamsError('store', `kafka.codecs.${name}: cannot load the package ${module}`, { cause });
    }
  }
}

/** Packages give a codec or a function that makes one, as the module or as its default export. */
function codecOf(loaded: unknown): Codec {
  const given = (loaded as { default?: unknown }).default ?? loaded;
  return typeof given === 'function' ? (given as () => Codec)() : (given as Codec);
}

function security({ tls, sasl }: KafkaOptions, credentials: KafkaCredentials | undefined): Partial<KafkaConfig> {
  if (sasl && !credentials) {
    throw new StreamsError('store', `kafka.sasl is ${sasl}: set MPA_KAFKA_USERNAME and MPA_KAFKA_PASSWORD`);
  }
  const files = typeof tls === 'boolean' ? {} : tls;
  const ssl =
    tls === false ? {} : { ssl: Object.fromEntries(Object.entries(files).map(([key, file]) => [key, pem(key, file)])) };
  return { ...ssl, ...(sasl && credentials ? { sasl: { mechanism: sasl as 'plain', ...credentials } } : {}) };
}

function pem(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new StreamsError('store', `kafka.tls.${key}: cannot read ${file}`, { cause });
  }
}
