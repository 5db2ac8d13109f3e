import kafkajs, { type Admin } from 'kafkajs';
import { checkTopic } from '../check-record.js';
import { deadLetterTopic } from '../record.js';
import { kafkaClient } from './kafka-client.js';
import type { KafkaCredentials, KafkaOptions } from './kafka-options.js';
import type { KafkaPlace } from './kafka-place.js';
import { BROKERS_CLOCK, KafkaTopics, TOPIC_SETTINGS } from './kafka-topics.js';

/** A topic as it is on the cluster. */
export interface TopicReport {
  /** Its name on the cluster. */
  readonly name: string;
  /** 0 when it is not there. */
  readonly partitions: number;
  readonly replication: number;
  /** What a run must not begin with, each in words; nothing when all is well. */
  readonly problems: readonly string[];
  /** What else differs from what is wanted, each in words: it passes by itself, cannot be changed any more, or does harm only where clocks are wrong. */
  readonly warnings: readonly string[];
}

/**
 * Makes the topics and their dead-letter topics, as far as they are not there, and reports on all.
 * Throws StreamsError `store` when the cluster does not answer or refuses.
 */
export async function createTopics(
  place: KafkaPlace,
  topics: readonly string[],
  options: KafkaOptions,
  credentials?: KafkaCredentials,
): Promise<TopicReport[]> {
  return withTopics(place, options, credentials, async (there) => {
    for (const topic of withDead(topics)) await there.partitions(topic);
    return report(there, topics, options);
  });
}

/** Reports on the topics and their dead-letter topics, and changes nothing. Throws StreamsError `store`. */
export async function checkTopics(
  place: KafkaPlace,
  topics: readonly string[],
  options: KafkaOptions,
  credentials?: KafkaCredentials,
): Promise<TopicReport[]> {
  return withTopics(place, options, credentials, (there) => report(there, topics, options));
}

async function withTopics<T>(
  { brokers, prefix }: KafkaPlace,
  options: KafkaOptions,
  credentials: KafkaCredentials | undefined,
  work: (topics: KafkaTopics) => Promise<T>,
): Promise<T> {
  const topics = new KafkaTopics(kafkaClient(brokers, options, credentials), prefix, options);
  try {
    return await work(topics);
  } finally {
    await topics.close();
  }
}

function withDead(topics: readonly string[]): string[] {
  topics.forEach(checkTopic);
  return topics.flatMap((topic) => [topic, deadLetterTopic(topic)]);
}

async function report(topics: KafkaTopics, names: readonly string[], wanted: KafkaOptions): Promise<TopicReport[]> {
  return topics.ask('look at the topics', async (admin) => {
    const there = new Set(await admin.listTopics());
    const reports: TopicReport[] = [];
    for (const name of withDead(names).map((topic) => topics.nameOf(topic))) {
      const missing = {
        name,
        partitions: 0,
        replication: 0,
        problems: ['is not there: --create makes it'],
        warnings: [],
      };
      reports.push(there.has(name) ? await reportOn(admin, name, wanted) : missing);
    }
    return reports;
  });
}

async function reportOn(admin: Admin, name: string, wanted: KafkaOptions): Promise<TopicReport> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
  const found = topics[0]?.partitions ?? [];
  const partitions = found.length;
  const replication = Math.min(...found.map(({ replicas }) => replicas.length));
  const problems: string[] = [];
  const warnings: string[] = [];
  if (partitions !== wanted.partitions) {
    warnings.push(
      `has ${partitions} partitions, not ${wanted.partitions}; to change that in a run would part records of one key`,
    );
  }
  if (replication < wanted.replication) problems.push(`has ${replication} copies, not ${wanted.replication}`);
  const behind = found.filter(({ isr, replicas }) => isr.length < replicas.length).length;
  if (behind > 0) warnings.push(`${behind} partitions have copies that are behind`);
  const configNames = Object.keys({ ...TOPIC_SETTINGS, ...BROKERS_CLOCK });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames }],
  });
  // Brokers that are not Apache's may leave some out.
  const settings = new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
  for (const [key, value] of Object.entries(TOPIC_SETTINGS)) {
    const is = settings.get(key);
    if (is !== undefined && is !== value)
      problems.push(`has ${key}=${is}, not ${value}: records that a run needs may vanish`);
  }
  for (const [key, value] of Object.entries(BROKERS_CLOCK)) {
    const is = settings.get(key);
    if (is !== undefined && is !== value)
      warnings.push(`has ${key}=${is}, not ${value}: who writes while its clock is an hour ahead is refused`);
  }
  return { name, partitions, replication, problems, warnings };
}
