/** One worker of the scale-out measurement: PLACE OPTIONS STAGE; says `working` at its first batch, stops at SIGTERM. */
import { setTimeout as pause } from 'node:timers/promises';
import { openKafkaStreams, type KafkaOptions } from '@mpa/streams';

const [place = '', options = '', stage = ''] = process.argv.slice(2);
const { recordMs, batch: maxRecords } = JSON.parse(stage) as { recordMs: number; batch: number };

const streams = openKafkaStreams(place, JSON.parse(options) as KafkaOptions);
const consumer = streams.consumer('stage', ['in'], { maxRecords });
process.on('SIGTERM', () => void consumer.stop());
let first = true;
await consumer.run(async (batch) => {
  if (first) process.stdout.write('working\n');
  first = false;
  await pause(recordMs * batch.records.length);
  for (const { key, value } of batch.records) batch.send('out', { key, value });
});
await streams.close();
