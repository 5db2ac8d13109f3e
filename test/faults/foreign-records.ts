import { create, ImageRecordSchema, toBinary } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { CompressionTypes, Kafka, logLevel, type Message } from 'kafkajs';
import type { Foreign } from './audit.js';
import { observe } from './observe.js';
import type { RunUnderTest } from './run-under-test.js';
import type { Observation, Scenario } from './scenario.js';
import { RunOver, until } from './until.js';
import type { Workbench } from './workbench.js';

const IMAGES = 200;
/** No message of protobuf: the type of its first field does not exist. */
const GARBAGE = Buffer.from('no protobuf at all');

/** Records that are valid and that no handler can process: an unreadable image, and a task that does not exist. */
export const poisonRecords: Scenario = {
  name: 'poison',
  title: 'records that cannot be processed',
  run: (bench) =>
    withProducer(bench, 'poison', { skipped: { 'model-failed': 1, 'not-found': 1 } }, async (run, write) => {
      const poison = (sampleId: string, task: number, uri: string): Message => {
        const record = create(ImageRecordSchema, { sampleId, runId: run.name, task, image: { uri, path: sampleId } });
        return { key: sampleId, value: Buffer.from(toBinary(ImageRecordSchema, record)) };
      };
      const image = new URL(`file://${bench.images(bench.atMost(IMAGES)).folder}/00000.png`).href;
      await write('images', [poison('no-such-task', 99, image), poison('no-such-image', 3, 'file:///nowhere.png')]);
      return 2;
    }),
};

/** Bytes that are no message, in every topic: with a key of their own, with that of a sample, and without one. */
export const corruptedRecords: Scenario = {
  name: 'corrupted',
  title: 'records that are no protobuf',
  run: (bench) =>
    withProducer(bench, 'corrupted', { skipped: { 'processing-failed': 2 } }, async (run, write) => {
      const known = await someKey(run);
      const messages = [{ key: 'garbage', value: GARBAGE }, { key: known, value: GARBAGE }, { value: GARBAGE }]; // prettier-ignore
      for (const topic of ['images', 'annotations', 'decisions']) await write(topic, messages);
      return 3 * messages.length;
    }),
};

/** Records that another producer writes once more, and a group that is set back to the beginning. */
export const duplicateDeliveries: Scenario = {
  name: 'duplicates',
  title: 'records written twice, offsets set back',
  run: (bench) =>
    withProducer(bench, 'duplicates', { repeats: true }, async (run, write, kafka) => {
      const copies: Message[] = [];
      for await (const { key, value, partition } of run.streams.readAll(topics.images.name)) {
        copies.push({ key, value: Buffer.from(value), partition });
      }
      await write('images', copies);
      const service = run.services.annotator[0]!;
      await service.stop('SIGKILL');
      const admin = kafka.admin();
      await admin.connect();
      const [groupId, topic] = [`${run.name}.annotator`, `${run.name}.images`];
      const isEmpty = async (): Promise<boolean> =>
        (await admin.describeGroups([groupId])).groups[0]!.members.length === 0;
      await until(isEmpty, run.ended);
      await admin.resetOffsets({ groupId, topic, earliest: true });
      await admin.disconnect();
      service.start();
      return copies.length + 1;
    }),
};

type Write = (topic: string, messages: Message[]) => Promise<void>;

/** A run into whose topics `disturb` writes, once a part of the images is annotated; it returns how many faults that were. */
async function withProducer(
  bench: Workbench,
  name: string,
  foreign: Foreign,
  disturb: (run: RunUnderTest, write: Write, kafka: Kafka) => Promise<number>,
): Promise<Observation> {
  const images = bench.images(bench.atMost(IMAGES));
  const brokers = await bench.brokers();
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  try {
    return await observe(bench, { name, brokers, images, foreign }, async (run) => {
      run.start().align();
      await until(async () => (await run.annotated.position()) >= images.count / 4, run.ended);
      const write: Write = async (topic, messages) => {
        await producer.send({ topic: `${name}.${topic}`, messages, compression: CompressionTypes.GZIP });
      };
      const injected = await disturb(run, write, kafka);
      const written = performance.now();
      const before = await run.annotated.activity();
      await until(async () => (await run.annotated.activity()) > before, run.ended);
      const seconds = (performance.now() - written) / 1000;
      return { intended: injected, injected, recovered: Array<number>(injected).fill(seconds) };
    });
  } finally {
    await producer.disconnect();
  }
}

/** The key of a record that the run has. */
async function someKey({ streams }: RunUnderTest): Promise<string> {
  for await (const { key } of streams.readAll(topics.images.name)) return key;
  throw new RunOver();
}
