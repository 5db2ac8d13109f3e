import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';

const TOOLS = new URL('../../../libs/setup/src/kafka-tools.mjs', import.meta.url).pathname;
const TOPIC = 'performance';
/** Different values, which gzip makes half of. */
const PAYLOADS = 1_000;
const QUIET = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';
const run = promisify(execFile);

/** What Kafka's own measuring programs, in Java, write and read in the same records, in transactions and gzip as well. */
export async function printKafkaPerformance(
  broker: string,
  of: { readonly records: number; readonly bytes: number; readonly partitions: number },
): Promise<void> {
  await createTopic(broker, of.partitions);
  const { stdout: classPath } = await run(process.execPath, [TOOLS, '4']);
  const folder = await mkdtemp(join(tmpdir(), 'mpa-kafka-performance-'));
  const java = (program: string, args: readonly string[]): Promise<{ stdout: string }> =>
    run('java', [QUIET, '-cp', classPath.trim(), `org.apache.kafka.tools.${program}`, ...args]);
  try {
    const payload = join(folder, 'payload');
    const lines = Array.from({ length: PAYLOADS }, () => randomBytes(of.bytes / 2).toString('hex'));
    await writeFile(payload, lines.join('\n'));
    const settings = [`bootstrap.servers=${broker}`, 'compression.type=gzip', 'acks=all'];
    const written = await java('ProducerPerformance', ['--topic', TOPIC, '--num-records', String(of.records), '--payload-file', payload, '--throughput', '-1', '--transactional-id', TOPIC, '--transaction-duration-ms', '100', '--producer-props', ...settings]); // prettier-ignore
    const write = /([\d.]+) records\/sec \(([\d.]+) MB\/sec\)/.exec(written.stdout.trimEnd().split('\n').at(-1)!);
    const read = await java('ConsumerPerformance', ['--bootstrap-server', broker, '--topic', TOPIC, '--messages', String(of.records), '--timeout', '60000']); // prettier-ignore
    const [names, figures] = read.stdout.trimEnd().split('\n').slice(-2).map((line) => line.split(',').map((cell) => cell.trim())) as [string[], string[]]; // prettier-ignore
    const fetched = figures[names.indexOf('fetch.nMsg.sec')] ?? figures[names.indexOf('nMsg.sec')];
    console.log(
      `streams: Kafka's own tools: write ${Number(write![1]).toFixed(0)} a second (${write![2]} MB/s), read ${Number(fetched).toFixed(0)} a second`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function createTopic(broker: string, partitions: number): Promise<void> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: partitions }], waitForLeaders: true });
  await admin.disconnect();
}
