import { openEmbeddedStreams } from './embedded/embedded-streams.js';
import type { KafkaCredentials, KafkaOptions } from './kafka/kafka-options.js';
import { isKafkaPlace } from './kafka/kafka-place.js';
import { openKafkaStreams } from './kafka/kafka-streams.js';
import type { Streams } from './streams.js';

/**
 * Opens the streams at a place: `kafka://HOST:PORT,.../PREFIX`, or else the folder of an embedded log.
 * Throws StreamsError `store` when that cannot be.
 */
export function openStreams(place: string, options: KafkaOptions, credentials?: KafkaCredentials): Streams {
  return isKafkaPlace(place) ? openKafkaStreams(place, options, { credentials }) : openEmbeddedStreams(place);
}
