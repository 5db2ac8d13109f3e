import { topics } from '@mpa/service-kit';
import type { RunPaths } from '@mpa/storage';
import { checkTopics, formatKafkaPlace, isForbidden, openStreams, type Streams } from '@mpa/streams';
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
 * Throws CliError when a run that begins would share its topics with an earlier one, for their records cannot be told apart, or would lose
 * records: topics that were made otherwise drop them after a time. Who may not look at their settings is not kept from running.
 */
export async function checkTopicsOfNewRun({ kafka, config }: PipelineOptions, streams: Streams): Promise<void> {
  if (!kafka) return;
  for await (const { message } of topics.images.read(streams)) {
    throw new CliError(
      `the cluster has records of a run ${message.runId} under the prefix ${kafka.prefix}; give another --prefix`,
    );
  }
  const names = Object.values(topics).map(({ name }) => name);
  const reports = await checkTopics(kafka, names, config.kafka, kafka.credentials).catch((error: unknown) => {
    if (isForbidden(error)) return [];
    throw error;
  });
  for (const { name, partitions, problems } of reports) {
    if (partitions > 0 && problems.length > 0) throw new CliError(`the topic ${name} ${problems.join(', ')}`);
  }
}
