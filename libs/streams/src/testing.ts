/** What tests of other packages need: a real broker. */
export { startBroker, testedReleases, type Broker } from './kafka/broker.fixture.js';
