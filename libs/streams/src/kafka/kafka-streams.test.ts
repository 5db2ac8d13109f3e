import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { describeStreamsContract } from '../streams-contract.js';
import { startBroker, testedReleases, type Broker } from './broker.fixture.js';
import { kafkaOptions } from './kafka-options.js';
import { formatKafkaPlace } from './kafka-place.js';
import { openKafkaStreams } from './kafka-streams.js';

describe.skipIf(testedReleases.length === 0).each(testedReleases)('Kafka %s', (release) => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker(release);
  }, 600_000);
  afterAll(() => broker.stop());

  describeStreamsContract(
    'Kafka',
    async () => {
      const place = formatKafkaPlace({ brokers: broker.brokers, prefix: randomUUID() });
      const options = kafkaOptions.parse({ partitions: 4, sessionTimeoutMs: 6_000, heartbeatIntervalMs: 500 });
      return { open: async () => openKafkaStreams(place, options), remove: async () => undefined };
    },
    {
      readableWithinMoments: 'a transaction marks each partition that it wrote to, one after the other',
      lagIsUpperBound: 'offsets are counted, and the marks of transactions have offsets',
      handlersRepeatIds: 'brokers have no index of ids, and one for all workers would make them wait for each other',
    },
  );
});
