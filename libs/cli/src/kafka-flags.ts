import { parseKafkaPlace, StreamsError, type KafkaPlace } from '@mpa/streams';
import { UsageError } from './cli-error.js';

/** The place that `--brokers` and `--prefix` name. Throws UsageError. */
export function kafkaPlaceOf(brokers: string, prefix: string): KafkaPlace {
  try {
    return parseKafkaPlace(`kafka://${brokers}/${prefix}`);
  } catch (cause) {
    if (!(cause instanceof StreamsError)) throw cause;
    throw new UsageError(`--brokers and --prefix: ${cause.message}`, { cause });
  }
}
