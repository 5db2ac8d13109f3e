import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '@mpa/console';
import { topics } from '@mpa/service-kit';
import { formatKafkaPlace, kafkaOptions, openKafkaStreams, type Streams } from '@mpa/streams';
import { kafkaReleases, startBroker, type Broker } from '@mpa/streams/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeAlignInputs, type AlignInputs } from './align-inputs.fixture.js';
import { freePort } from './free-port.fixture.js';
import { lastObject, startMpa } from './run-mpa.fixture.js';
import { serveService, type Served } from './serve-service.fixture.js';

// Enough that workers are started and stopped in the middle of it, however fast the machine is.
const COUNT = 300;
const kafka = { partitions: 4, sessionTimeoutMs: 6000, heartbeatIntervalMs: 500 };

let work: string;
let broker: Broker;
let inputs: AlignInputs;
let streams: Streams;
const served: Served[] = [];

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'mpa-align-scaling-'));
  broker = await startBroker(kafkaReleases.at(-1)!);
  inputs = await writeAlignInputs(work, COUNT);
  streams = openKafkaStreams(formatKafkaPlace({ brokers: broker.brokers, prefix: 'scaled' }), kafkaOptions.parse({}));
});

afterAll(async () => {
  for (const { child } of served) child.kill('SIGTERM');
  await Promise.all(served.map(({ ended }) => ended));
  await streams?.close();
  await broker?.stop();
  if (work) rmSync(work, { recursive: true });
});

async function idsOf(topic: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of streams.readAll(topic)) ids.push(id);
  return ids;
}

/** Resolves when so many are annotated, or the run has ended. */
async function annotated(count: number, { child }: ReturnType<typeof startMpa>): Promise<void> {
  while (child.exitCode === null && (await idsOf(topics.annotations.name)).length < count);
}

async function start(name: 'annotator' | 'parity', listen: string): Promise<Served> {
  const checkpoint = name === 'annotator' ? inputs.teacher : inputs.student;
  const diversity = name === 'annotator' ? { diversity: { maxShare: 1 } } : {};
  const config = { listen, model: { checkpoint, cacheDir: join(work, 'graphs') }, batch: 1, kafka, ...diversity };
  const one = await serveService(name, config, work);
  served.push(one);
  return one;
}

// As root on Linux: the driver has an /etc/hosts of its own, in the place of a cluster's name service.
it('takes the processes that come behind a name, lets go of those that leave, and leaves no lag behind', async () => {
  const port = await freePort();
  const hosts = join(work, 'hosts');
  const lead = (names: Readonly<Record<string, readonly number[]>>): void => {
    const lines = Object.entries(names).flatMap(([name, ends]) => ends.map((end) => `127.0.0.${end} ${name}\n`));
    writeFileSync(hosts, `127.0.0.1 localhost\n${lines.join('')}`);
  };
  lead({});
  const endpoints = join(work, 'endpoints.json');
  writeFileSync(
    endpoints,
    JSON.stringify({ annotator: `dns:///annotators:${port}`, parity: `dns:///parities:${port}` }),
  );
  const config = join(work, 'align.json');
  writeFileSync(config, JSON.stringify({ kafka, trainer: { training: { batch: 4, epochs: 1 } } }));
  const { teacher, student, images } = inputs;
  const models = ['--task', 'chartqa', '--teacher', teacher, '--student', student];
  const place = ['--streams', 'kafka', '--brokers', broker.brokers.join(','), '--prefix', 'scaled'];
  const files = ['--images', images, '--out', join(work, 'run'), '--config', config, '--endpoints', endpoints];
  const run = startMpa(['align', ...models, ...place, ...files, '--json'], {
    command: [
      'unshare',
      '--mount',
      'sh',
      '-c',
      `mount --bind ${hosts} /etc/hosts && exec "$@"`,
      'sh',
      process.execPath,
    ],
  });
  let said = '';
  run.child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await expect.poll(() => said, { timeout: 120_000 }).toContain(`no worker at dns:///annotators:${port} yet: waiting`);

  const first = await start('annotator', `127.0.0.2:${port}`);
  await start('parity', `127.0.0.4:${port}`);
  lead({ annotators: [2], parities: [4] });
  await annotated(2, run);
  await start('annotator', `127.0.0.3:${port}`);
  lead({ annotators: [2, 3], parities: [4] });
  await annotated(6, run);
  first.child.kill('SIGTERM');
  await first.ended;
  lead({ annotators: [3], parities: [4] });

  const ended = await run.ended;
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  expect(ended.stderr).toMatch(new RegExp(`the worker at 127\\.0\\.0\\.2:${port} is gone`));
  expect(lastObject(ended) as unknown as Summary).toMatchObject({ images: COUNT, annotated: COUNT });
  for (const { name } of [topics.annotations, topics.decisions]) expect(new Set(await idsOf(name)).size).toBe(COUNT);
  // What KEDA looks at: nothing is left that would start a pod again.
  expect(await streams.lag('annotator', topics.images.name)).toMatchObject({ lag: 0 });
  expect(await streams.lag('parity', topics.annotations.name)).toMatchObject({ lag: 0 });
  expect(readFileSync('/etc/hosts', 'utf8')).not.toContain('annotators');
}, 600_000);
