import { topics } from '@mpa/service-kit';
import type { RunPaths } from '@mpa/storage';
import {
  deadLetterTopic,
  formatKafkaPlace,
  openEmbeddedStreams,
  openStreams,
  type OutgoingRecord,
  type Streams,
} from '@mpa/streams';
import { CliError } from '../cli-error.js';
import type { PipelineOptions } from './pipeline-options.js';

/** Records copied at a time. */
const BATCH = 256;

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

/** Copies a run's records from Kafka into its folder, where `mpa console` and `mpa analyze` look. Doing it again adds what is new. */
export async function keepRecords(
  { kafka }: PipelineOptions,
  streams: Streams,
  { streams: folder }: RunPaths,
): Promise<void> {
  if (!kafka) return;
  const kept = openEmbeddedStreams(folder);
  try {
    const names = Object.values(topics).map(({ name }) => name);
    for (const topic of [...names, ...names.map(deadLetterTopic)]) {
      let batch: OutgoingRecord[] = [];
      for await (const record of streams.readAll(topic)) {
        batch.push(record);
        if (batch.length < BATCH) continue;
        await kept.producer.send(topic, batch);
        batch = [];
      }
      if (batch.length > 0) await kept.producer.send(topic, batch);
    }
  } finally {
    await kept.close();
  }
}
