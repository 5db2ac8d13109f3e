import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaReleases, startBroker, type Broker } from '@mpa/streams/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OtlpReceiver } from './otlp-receiver.fixture.js';
import { ServedPipeline } from './served-pipeline.fixture.js';
import { expectWholeTraces } from './whole-traces.fixture.js';

const COUNT = 6;
const work = mkdtempSync(join(tmpdir(), 'mpa-traces-kafka-'));
let collector: OtlpReceiver;
let broker: Broker;
let pipeline: ServedPipeline;

beforeAll(async () => {
  collector = await OtlpReceiver.start();
  broker = await startBroker(kafkaReleases.at(-1)!);
  pipeline = await ServedPipeline.start(work, COUNT, { tracing: { endpoint: collector.endpoint } });
});
afterAll(async () => {
  await pipeline?.stop();
  await broker?.stop();
  collector.close();
  rmSync(work, { recursive: true });
});

it('follows every image through Kafka and all four services', async () => {
  const kafka = ['--streams', 'kafka', '--brokers', broker.brokers.join(',')];
  const { ended } = pipeline.align('run', { tracing: { endpoint: collector.endpoint } }, ...kafka);
  expect(await ended).toMatchObject({ code: 0 });
  await pipeline.stop();
  expectWholeTraces(collector.traces(), COUNT);
});
