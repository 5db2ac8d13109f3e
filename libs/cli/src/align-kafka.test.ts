import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '@mpa/console';
import { topics } from '@mpa/service-kit';
import { formatKafkaPlace, kafkaOptions, openKafkaStreams, openEmbeddedStreams, type Streams } from '@mpa/streams';
import { hasKafka, kafkaReleases, startBroker, type Broker } from '@mpa/streams/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAlignInputs, type AlignInputs } from './align-inputs.fixture.js';
import { lastObject, runMpa, startMpa, type Ended } from './run-mpa.fixture.js';
import { serveService, type Served } from './serve-service.fixture.js';

const COUNT = 24;

// The newest release; the streams' own tests run on all.
describe.skipIf(!hasKafka)('mpa align on Kafka', () => {
  let work: string;
  let slow: string;
  let { teacher, student, images } = {} as AlignInputs;
  let broker: Broker;
  let brokers: string;
  let streams: Streams;

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'mpa-align-kafka-'));
    slow = join(work, 'slow.yaml');
    broker = await startBroker(kafkaReleases.at(-1)!);
    brokers = broker.brokers.join(',');
    ({ teacher, student, images } = await writeAlignInputs(work, COUNT));
    writeFileSync(
      slow,
      'annotator: { batch: 1, diversity: { maxShare: 1 } }\nparity: { batch: 1 }\ntrainer: { training: { batch: 4, epochs: 1 } }\n' +
        'kafka: { partitions: 4, sessionTimeoutMs: 6000, heartbeatIntervalMs: 500 }\n',
    );
  }, 600_000);

  afterAll(async () => {
    await streams?.close();
    await broker?.stop();
    rmSync(work, { recursive: true });
  });

  function alignArgs(run: string, ...more: string[]): string[] {
    return ['align', '--images', images, '--task', 'chartqa', '--teacher', teacher, '--student', student, '--out', join(work, run), '--streams', 'kafka', '--brokers', brokers, '--config', slow, '--json', ...more]; // prettier-ignore
  }

  function summaryOf(ended: Ended): Summary {
    expect(ended.code, ended.stderr).toBe(0);
    return lastObject(ended) as unknown as Summary;
  }

  async function idsOf(from: Streams, topic: string): Promise<string[]> {
    const ids: string[] = [];
    for await (const { id } of from.readAll(topic)) ids.push(id);
    return ids;
  }

  /** As `mpa console` sees them. */
  async function idsInFolder(run: string, topic: string): Promise<string[]> {
    const folder = join(work, run, 'streams');
    if (!existsSync(join(folder, 'data.mdb'))) return [];
    let log: Streams;
    try {
      log = openEmbeddedStreams(folder, { readOnly: true });
    } catch {
      return []; // Its tables are still being made.
    }
    const ids = await idsOf(log, topic);
    await log.close();
    return ids;
  }

  it('goes on after SIGKILL, does nothing twice, and has the records in the run folder, all along', async () => {
    streams = openKafkaStreams(formatKafkaPlace({ brokers: broker.brokers, prefix: 'killed' }), kafkaOptions.parse({}));
    const created = await runMpa(
      'topics',
      '--brokers',
      brokers,
      '--prefix',
      'killed',
      '--create',
      '--partitions',
      '4',
      '--json',
    );
    expect(created).toMatchObject({ code: 0 });

    const first = startMpa(alignArgs('killed'));
    const isSeen = async (): Promise<boolean> => (await idsInFolder('killed', topics.images.name)).length > 0;
    const isBegun = async (): Promise<boolean> => (await idsOf(streams, topics.annotations.name)).length >= 3;
    while (first.child.exitCode === null && !((await isSeen()) && (await isBegun())));
    first.child.kill('SIGKILL');
    await first.ended;
    const before = await idsOf(streams, topics.annotations.name);
    expect(before.length).toBeLessThan(COUNT);

    const second = await runMpa(...alignArgs('killed'));
    expect(summaryOf(second)).toMatchObject({ images: COUNT, annotated: COUNT, selected: COUNT, skipped: {} });
    expect(second.stderr).toMatch(/annotate: \d+ of 24 were done before/);
    for (const { name } of [topics.images, topics.annotations, topics.decisions]) {
      const ids = await idsOf(streams, name);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toHaveLength(COUNT);
      expect((await idsInFolder('killed', name)).sort()).toEqual(ids.sort());
    }

    const other = await runMpa(...alignArgs('other', '--prefix', 'killed'));
    expect(other.stderr).toMatch(/mpa: the cluster has records of a run killed .*--prefix/);
  }, 300_000);

  it('has several processes of a service share the work, and survives the loss of one', async () => {
    const cacheDir = join(work, 'graphs');
    const kafka = { partitions: 4, sessionTimeoutMs: 6000, heartbeatIntervalMs: 500 };
    const annotatorConfig = { model: { checkpoint: teacher, cacheDir }, batch: 1, diversity: { maxShare: 1 }, kafka };
    const served: Served[] = [];
    for (const [name, config] of [
      ['annotator', annotatorConfig],
      ['annotator', annotatorConfig],
      ['parity', { model: { checkpoint: student, cacheDir }, batch: 1, kafka }],
    ] as const) {
      served.push(await serveService(name, config, work));
    }
    const [one, two, parity] = served.map(({ address }) => address);
    const endpoints = join(work, 'endpoints.json');
    writeFileSync(endpoints, JSON.stringify({ annotator: [one, two], parity }));
    const run = startMpa(alignArgs('several', '--endpoints', endpoints));
    const place = formatKafkaPlace({ brokers: broker.brokers, prefix: 'several' });
    const watched = openKafkaStreams(place, kafkaOptions.parse({}));
    while (run.child.exitCode === null && (await idsOf(watched, topics.annotations.name)).length < 2);
    served[1]!.child.kill('SIGKILL');
    const ended = await run.ended;
    expect(summaryOf(ended)).toMatchObject({ images: COUNT, annotated: COUNT, selected: COUNT });
    const ids = await idsOf(watched, topics.annotations.name);
    expect(new Set(ids).size).toBe(ids.length);
    await watched.close();
    for (const { child } of served) child.kill('SIGTERM');
    await Promise.all(served.map((each) => each.ended));
  }, 300_000);

  it('goes on with what was imported, which it sends from the run folder, once', async () => {
    const file = join(work, 'written.json');
    const rows = ['a cat', 'two'].map((answer, i) => ({ image_path: `good-${i}.png`, predicted_question: `What is ${i}`, predicted_answer: answer })); // prettier-ignore
    writeFileSync(file, JSON.stringify([...rows, 'no row']));
    const run = join(work, 'imported');
    const flags = ['--format', 'mpa-json', '--task', 'chartqa', '--image-root', images, '--out', run];
    expect(await runMpa('import', file, ...flags)).toMatchObject({ code: 0 });
    const align = ['align', '--student', student, '--out', run, '--streams', 'kafka', '--brokers', brokers, '--config', slow, '--json']; // prettier-ignore
    for (const time of ['first', 'again']) {
      const ended = await runMpa(...align);
      expect(summaryOf(ended), time).toMatchObject({ images: 3, annotated: 2, skipped: { 'malformed-row': 1 }, selected: 2 }); // prettier-ignore
    }
    const place = formatKafkaPlace({ brokers: broker.brokers, prefix: 'imported' });
    const onCluster = openKafkaStreams(place, kafkaOptions.parse({}));
    for (const { name } of [topics.images, topics.annotations, topics.decisions]) {
      const ids = await idsOf(onCluster, name);
      expect(new Set(ids).size).toBe(ids.length);
      expect((await idsInFolder('imported', name)).sort()).toEqual(ids.sort());
    }
    expect(await idsOf(onCluster, topics.images.name)).toHaveLength(3);
    await onCluster.close();
  }, 300_000);

  it('begins with topics of another number of partitions, and says so; a check is stricter', async () => {
    const place = ['topics', '--brokers', brokers, '--prefix', 'other-partitions'];
    expect(await runMpa(...place, '--create', '--partitions', '2')).toMatchObject({ code: 0 });
    const again = await runMpa(...place, '--create', '--partitions', '3');
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('has 2 partitions, not 3') as string });
    expect(again.stdout).not.toContain('in order');
    expect(await runMpa(...place, '--check', '--partitions', '3')).toMatchObject({ code: 1 });
    expect(await runMpa(...place, '--create', '--partitions', '2', '--replication', '2')).toMatchObject({ code: 1 });
    const config = join(work, 'copies.yaml');
    writeFileSync(config, 'kafka: { replication: 2 }\n');
    const refused = await runMpa(...alignArgs('other-partitions').map((flag) => (flag === slow ? config : flag)));
    expect(refused.stderr).toMatch(/^mpa: the topic other-partitions\.images has 1 copies, not 2\n$/m);
    expect(refused.code).toBe(1);
  }, 120_000);

  it('says in one line that no broker answers', async () => {
    const { code, stderr } = await runMpa('topics', '--brokers', '127.0.0.1:1', '--prefix', 'none');
    expect(stderr).toMatch(/^mpa: [^\n]*127\.0\.0\.1:1[^\n]*\n$/);
    expect(code).toBe(1);
  }, 120_000);
});
