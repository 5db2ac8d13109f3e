import { StreamsError } from '../streams-error.js';

/** Where streams are on Kafka. */
export interface KafkaPlace {
  /** host:port of brokers to ask first; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** Names of topics, groups and transactions begin with it and a dot, so that runs share a cluster without meeting. */
  readonly prefix: string;
}

const PLACE = /^kafka:\/\/([^/]+)\/([A-Za-z0-9._-]{1,150})$/;
const BROKER = /^(\[[^\]]+\]|[^:\s]+):\d{1,5}$/;

/** Whether a place of streams is meant to be on Kafka. */
export function isKafkaPlace(place: string): boolean {
  return place.startsWith('kafka:');
}

/**
 * Reads `kafka://HOST:PORT,HOST:PORT/PREFIX`.
 * Throws StreamsError `store` for anything else.
 */
export function parseKafkaPlace(place: string): KafkaPlace {
  const [, brokers = '', prefix = ''] = PLACE.exec(place) ?? [];
  const hosts = brokers.split(',');
  if (!hosts.every((host) => BROKER.test(host))) {
    throw new StreamsError(
      'store',
      `"${place}" is no place on Kafka: give kafka://HOST:PORT,.../PREFIX, the prefix of 1 to 150 letters, digits, ".", "_", "-"`,
    );
  }
  return { brokers: hosts, prefix };
}

/** The opposite of `parseKafkaPlace`. */
export function formatKafkaPlace({ brokers, prefix }: KafkaPlace): string {
  return `kafka://${brokers.join(',')}/${prefix}`;
}
