/** What tests of other packages need: a real broker. */
export { hasKafka, kafkaReleases, startBroker, type Broker } from './kafka/broker.fixture.js';
/** How a writer knows the ids of a topic, for what measures its memory. */
export { IdSet } from './id-set.js';
