/** A process of its own for tests: copies records from one topic to another until it is killed. */
import { openEmbeddedStreams } from './embedded-streams.js';

const [folder = '', input = '', output = '', leaseMs = '', workMs = '', mode = ''] = process.argv.slice(2);

const streams = openEmbeddedStreams(folder, { leaseMs: Number(leaseMs) });
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
