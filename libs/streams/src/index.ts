/** Sample streams: one interface; the embedded log on lmdb and Apache Kafka implement it. */
export * from './record.js';
export * from './streams.js';
export * from './streams-error.js';
export * from './topic.js';
export type { Clock } from './clock.js';
export { IdTable } from './id-table.js';
export { openEmbeddedStreams, type EmbeddedStreamsOptions } from './embedded/embedded-streams.js';
export { openStreams } from './open-streams.js';
export { isForbidden } from './kafka/kafka-error.js';
export { checkTopics, createTopics, type TopicReport } from './kafka/manage-topics.js';
export { kafkaCredentials, kafkaOptions, type KafkaCredentials, type KafkaOptions } from './kafka/kafka-options.js';
export { formatKafkaPlace, isKafkaPlace, parseKafkaPlace, type KafkaPlace } from './kafka/kafka-place.js';
export { openKafkaStreams, type KafkaSurroundings } from './kafka/kafka-streams.js';
