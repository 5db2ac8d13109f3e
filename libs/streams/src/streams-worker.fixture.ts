/** A process of its own for tests: copies records from one topic to another until it is killed. */
import { openEmbeddedStreams } from './embedded/embedded-streams.js';
import { kafkaOptions } from './kafka/kafka-options.js';
import { isKafkaPlace } from './kafka/kafka-place.js';
import { openKafkaStreams } from './kafka/kafka-streams.js';

const [place = '', input = '', output = '', leaseMs = '', workMs = '', mode = ''] = process.argv.slice(2);

const sessionTimeoutMs = Number(leaseMs);
const streams = isKafkaPlace(place)
  ? openKafkaStreams(place, kafkaOptions.parse({ sessionTimeoutMs, heartbeatIntervalMs: 500 }))
  : openEmbeddedStreams(place, { leaseMs: sessionTimeoutMs });
const consumer = streams.consumer('workers', [input], {
  maxRecords: 4,
  onEvent: ({ kind }) => process.stdout.write(`${kind}\n`),
});
let batches = 0;
await consumer.run(async (batch) => {
  process.stdout.write('working\n');
  if (mode === 'block') {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(workMs));
  } else {
    await new Promise((resolve) => setTimeout(resolve, Number(workMs)));
  }
  batches += 1;
  for (const { key, id, value } of batch.records) {
    // An id of this very attempt: a second commit of the same input would show as a second record.
    batch.send(output, { key, id: `${id}|${process.pid}|${batches}`, value });
  }
});
