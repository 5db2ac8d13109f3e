/** What tests of other packages need: a real broker. */
export { hasKafka, kafkaReleases, startBroker, type Broker } from './kafka/broker.fixture.js';
