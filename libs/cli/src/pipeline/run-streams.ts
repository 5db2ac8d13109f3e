import { topics } from '@mpa/service-kit';
import type { RunPaths } from '@mpa/storage';
import { formatKafkaPlace, openStreams, type Streams } from '@mpa/streams';
import { CliError } from '../cli-error.js';
import type { PipelineOptions } from './pipeline-options.js';

/** A run's streams, and their place for services that open them themselves. */
export interface RunStreams {
  readonly place: string;
  readonly streams: Streams;
}

/** Opens a run's streams: in its folder, or on Kafka. Throws StreamsError `store`. */
export function openRunStreams({ kafka, config }: PipelineOptions, { streams: folder }: RunPaths): RunStreams {
  const place = kafka ? formatKafkaPlace(kafka) : folder;
  return { place, streams: openStreams(place, config.kafka, kafka?.credentials) };
}

/**
 * Throws CliError when a run that begins would share its topics with an earlier one: their records cannot be told apart.
 */
export async function checkUnused({ kafka }: PipelineOptions, streams: Streams): Promise<void> {
  if (!kafka) return;
  for await (const { message } of topics.images.read(streams)) {
    throw new CliError(
      `the cluster has records of a run ${message.runId} under the prefix ${kafka.prefix}; give another --prefix`,
    );
  }
}
