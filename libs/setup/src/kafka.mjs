/**
 * `npm run kafka [-- --version 3.9.2] [--nodes 3] [--data FOLDER] [--properties FILE] [--scram USER]`: Apache Kafka on this machine, from its official artifacts,
 * until Ctrl-C. The only line on standard output is `brokers HOST:PORT,...`. With KAFKA_BROKERS set nothing is started, and those
 * are named. With `--until-eof` it ends with its standard input too, so that it never outlives whoever started it.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startKafkaCluster } from './kafka/kafka-cluster.mjs';
import { KAFKA_RELEASES, kafkaRelease } from './kafka/kafka-release.mjs';
import { runMain } from './set-up.mjs';
import { SetupError } from './setup-error.mjs';
import { say, step } from './step.mjs';

const FLAGS = {
  version: { type: 'string', default: KAFKA_RELEASES[4] },
  nodes: { type: 'string', default: '1' },
  data: { type: 'string' },
  properties: { type: 'string' },
  scram: { type: 'string', multiple: true, default: [] },
  'until-eof': { type: 'boolean', default: false },
};

function readFlags() {
  try {
    const { version, nodes, data, properties, scram, 'until-eof': untilEof } = parseArgs({ options: FLAGS }).values;
    if (!/^[1-9]$/.test(nodes)) throw new Error(`--nodes ${nodes}: give 1 to 9`);
    return {
      version,
      nodes: Number(nodes),
      data,
      properties: properties && readFileSync(properties, 'utf8'),
      scram,
      untilEof,
    };
  } catch (cause) {
    const flags = Object.keys(FLAGS).map((flag) => `--${flag}`);
    throw new SetupError(`${cause.message}; the flags are ${flags.join(', ')}`, { cause });
  }
}

/** Resolves at Ctrl-C or SIGTERM, and with `untilEof` when standard input ends. */
function whenAskedToStop(untilEof) {
  return new Promise((done) => {
    process.on('SIGINT', done);
    process.on('SIGTERM', done);
    if (untilEof) process.stdin.on('end', done).on('close', done).resume();
  });
}

/** Runs a cluster until `asked` resolves. Throws SetupError when it cannot be started, or ends by itself. */
async function runCluster({ version, nodes, data, properties, scram }, asked) {
  const { release, classPath } = await kafkaRelease(version);
  const folder = data === undefined ? await mkdtemp(join(tmpdir(), 'mpa-kafka-')) : resolve(data);
  try {
    const cluster = await step(`starting Kafka ${release}, ${nodes === 1 ? 'one node' : `${nodes} nodes`}`, () =>
      startKafkaCluster(classPath, folder, { nodes, properties, scram }),
    );
    console.log(`brokers ${cluster.brokers.join(',')}`);
    say(`Ctrl-C stops it${data === undefined ? ' and removes its data' : `; its data stays in ${folder}`}`);
    const crashed = await Promise.race([asked.then(() => false), cluster.ended.then(() => true)]);
    await cluster.stop();
    if (crashed) throw new SetupError('Kafka has ended by itself');
  } finally {
    if (data === undefined) await rm(folder, { recursive: true, force: true });
  }
}

await runMain(async () => {
  const flags = readFlags();
  const asked = whenAskedToStop(flags.untilEof);
  if (process.env.KAFKA_BROKERS) {
    console.log(`brokers ${process.env.KAFKA_BROKERS}`);
    return;
  }
  try {
    await runCluster(flags, asked);
  } finally {
    // It would keep a process alive that has failed, and whoever waits for its brokers.
    process.stdin.destroy();
  }
});
