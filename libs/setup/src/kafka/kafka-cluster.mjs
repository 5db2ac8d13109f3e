import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { runCommand } from '../run-command.mjs';
import { SetupError } from '../setup-error.mjs';
import { say } from '../step.mjs';

const FORMAT_MS = 2 * 60_000;
const START_MS = 3 * 60_000;
const STOP_MS = 30_000;
const JVM = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const LOG = ['defaultLogLevel=warn', 'log.kafka.server.KafkaRaftServer=info', 'showDateTime=true'].map(
  (setting) => `-Dorg.slf4j.simpleLogger.${setting}`,
);

/**
 * Starts a Kafka cluster (KRaft) on free ports of this machine, every node broker and controller in one process.
 *
 * @param {string} classPath
 * @param {string} folder data, settings and process id of each node; a cluster of as many nodes that is there already goes on, at its addresses
 * @param {{nodes: number, properties?: string, scram?: string[]}} options `properties`: further settings of every node, KEY=VALUE a line;
 *   `scram`: users of a new cluster, as `SCRAM-SHA-256=[name=NAME,password=PASSWORD]`
 * @returns {Promise<{brokers: string[], ended: Promise<unknown>, stop(): Promise<void>}>} `ended` resolves when all nodes have
 * @throws {SetupError} when a node does not start, with the last lines that it said
 */
export async function startKafkaCluster(classPath, folder, { nodes, properties = '', scram = [] }) {
  const ports = (await earlierPorts(folder, nodes)) ?? (await freePorts(2 * nodes));
  const members = Array.from({ length: nodes }, (_, i) => ({
    id: i + 1,
    folder: join(folder, `node-${i + 1}`),
    address: `127.0.0.1:${ports[2 * i]}`,
    controller: `127.0.0.1:${ports[2 * i + 1]}`,
  }));
  // Like Kafka's own, it does not begin with a dash: that would be a flag.
  const cluster = `A${randomBytes(16).toString('base64url').slice(1)}`;
  const started = [];
  const stop = async () => {
    await Promise.all(started.map((node) => node.stop()));
  };
  try {
    for (const member of members)
      await format(classPath, member, `${settingsOf(member, members)}${properties}`, { cluster, scram });
    for (const member of members) started.push(await startNode(classPath, member));
    await Promise.all(started.map(({ ready }) => ready));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    brokers: members.map(({ address }) => address),
    ended: Promise.all(started.map(({ ended }) => ended)),
    stop,
  };
}

/** Writes the node's settings, and formats its folder when that is new. */
async function format(classPath, member, text, { cluster, scram }) {
  const settings = join(member.folder, 'server.properties');
  await mkdir(member.folder, { recursive: true });
  await writeFile(settings, text);
  if (existsSync(join(member.folder, 'data', 'meta.properties'))) return;
  const users = scram.flatMap((user) => ['--add-scram', user]);
  const args = [...JVM, '-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', cluster, '-c', settings, ...users];
  await runCommand('java', args, { timeoutMs: FORMAT_MS });
}

function settingsOf({ id, folder, address, controller }, members) {
  const copies = Math.min(3, members.length);
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': members.map((each) => `${each.id}@${each.controller}`).join(','),
    listeners: `CLIENT://${address},CONTROLLER://${controller}`,
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'CLIENT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': false,
    'default.replication.factor': copies,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': Math.min(2, copies),
    'transaction.state.log.num.partitions': 8,
    'group.initial.rebalance.delay.ms': 0,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

async function startNode(classPath, { id, folder }) {
  const args = [...JVM, ...LOG, '-cp', classPath, 'kafka.Kafka', join(folder, 'server.properties')];
  // A group of its own: Ctrl-C in the terminal is for the command, which then stops the nodes.
  const child = spawn('java', args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  let stopping = false;
  const ended = new Promise((resolve) => child.once('close', resolve));
  await writeFile(join(folder, 'pid'), `${child.pid}\n`);
  const ready = new Promise((resolve, reject) => {
    const fail = (why) =>
      reject(new SetupError(`node ${id} of Kafka ${why}: ${said.trim().split('\n').slice(-5).join('\n')}`));
    const timer = setTimeout(() => fail(`did not start within ${START_MS / 1000} s`), START_MS);
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-4000);
      if (!said.includes('Kafka Server started')) return;
      clearTimeout(timer);
      resolve();
    });
    void ended.then(() => {
      clearTimeout(timer);
      fail('ended');
    });
  });
  void ended.then(() => stopping || say(`node ${id} of Kafka has ended`));
  const stop = async () => {
    stopping = true;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
  };
  return { ready, ended, stop };
}

/** The ports of a cluster that is in the folder: clients look for it there. Undefined without one. */
async function earlierPorts(folder, nodes) {
  const files = Array.from({ length: nodes }, (_, i) => join(folder, `node-${i + 1}`, 'server.properties'));
  if (!files.every((file) => existsSync(file))) return undefined;
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return texts.flatMap((text) => {
    const [, client, controller] = /^listeners=CLIENT:.*:(\d+),CONTROLLER:.*:(\d+)$/m.exec(text);
    return [Number(client), Number(controller)];
  });
}

/** Ports that nobody listens on; all are held until the last one is known, so that they differ. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const server = createServer().once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
