/**
 * `npm run soak`: a million images through `mpa align`, annotator and parity service, with models that cost no time. Says how fast, how long a record
 * takes, whether memory is flat and whether anything was lost; with `--costs FILE` it keeps what a record costs, for `npm run simulate`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import type { Summary } from '@mpa/console';
import { formatKafkaPlace, kafkaOptions, openStreams } from '@mpa/streams';
import { kafkaReleases, startBroker, type Broker } from '@mpa/streams/testing';
import { idTableBytes } from '../simulate/memory-costs.js';
import { checkRecords, type RecordCheck } from './check-records.js';
import { writeLinkedImages } from './linked-images.js';
import { ProcessWatch } from './process-watch.js';
import { PROCESSES, type SoakCosts } from './soak-costs.js';

const ROOT = new URL('../../../', import.meta.url).pathname;
const MPA = join(ROOT, 'libs', 'cli', 'bin', 'mpa.js');
const STAND_IN = new URL('./stand-in-model.js', import.meta.url).href;
const TINY = join(ROOT, 'test', 'fixtures', 'vlm', 'smolvlm-a');
const MIB = 2 ** 20;
/** Memory is flat when the last tenth of the job has no more than so many times what the third tenth had, beside what is kept of every image. */
const FLAT = 1.15;
/** Tables of all ids that the driver keeps: what each of two stages owes, and on Kafka what it has written. */
const ID_TABLES = { embedded: 2, kafka: 3 } as const;

interface Served {
  readonly child: ChildProcess;
  readonly address: string;
}

async function serve(name: 'annotator' | 'parity', size: string, folder: string): Promise<Served> {
  const file = join(folder, `${name}.json`);
  const settings = name === 'annotator' ? { batch: 64, diversity: { maxShare: 1 } } : { batch: 64 };
  const model = { checkpoint: `stand-in-${size}`, cacheDir: folder };
  await writeFile(file, JSON.stringify({ model, ...settings }));
  const child = spawn(process.execPath, ['--import', STAND_IN, MPA, 'serve', name, '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const address = /"address":"([^"]+)"/.exec(line)?.[1];
    if (!address) continue;
    child.stdout.resume();
    return { child, address };
  }
  throw new Error(`the ${name} did not start`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      images: { type: 'string', default: '1000000' },
      streams: { type: 'string', default: 'kafka' },
      folder: { type: 'string', default: tmpdir() },
      costs: { type: 'string' },
    },
  });
  const count = Number(values.images);
  const work = await mkdtemp(join(values.folder, 'mpa-soak-'));
  const broker = values.streams === 'kafka' ? await startBroker(kafkaReleases.at(-1)!) : undefined;
  const children: ChildProcess[] = [];
  const stop = (): void => children.forEach((child) => child.kill('SIGTERM'));
  // The command ends then, and what is left is tidied up.
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const { isWell, costs } = await soak(count, work, broker, children);
    if (values.costs !== undefined) await writeFile(values.costs, `${JSON.stringify(costs, null, 2)}\n`);
    if (!isWell) process.exitCode = 1;
  } finally {
    stop();
    await Promise.all(children.map(async (child) => child.exitCode ?? (await once(child, 'exit'))));
    await broker?.stop();
    await rm(work, { recursive: true, force: true });
  }
}

async function soak(
  count: number,
  work: string,
  broker: Broker | undefined,
  children: ChildProcess[],
): Promise<{ isWell: boolean; costs: SoakCosts }> {
  const [images, run] = [join(work, 'images'), join(work, 'run')];
  await mkdir(images);
  await writeLinkedImages(images, count);
  const annotator = await serve('annotator', 'large', work);
  children.push(annotator.child);
  const parity = await serve('parity', 'small', work);
  children.push(parity.child);
  const args = await alignArgs({ work, images, run, annotator, parity, broker });
  const began = performance.now();
  const align = spawn(process.execPath, [MPA, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(align);
  let decided = 0;
  let allDecided = began;
  createInterface(align.stderr).on('line', (line) => {
    process.stderr.write(`${line}\n`);
    const before = decided;
    decided = Number(/^decide: (\d+)\//.exec(line)?.[1] ?? decided);
    if (decided > before) allDecided = performance.now();
  });
  const pids = { 'mpa align': align.pid!, annotator: annotator.child.pid!, parity: parity.child.pid! };
  const watch = new ProcessWatch(pids, () => decided / count);
  const [output] = await Promise.all([text(align.stdout), once(align, 'close')]);
  watch.stop();
  if (align.exitCode !== 0) throw new Error(`mpa align ended with ${align.exitCode}`);
  const seconds = (performance.now() - began) / 1000;
  const after = (performance.now() - allDecided) / 1000;
  const place = broker ? formatKafkaPlace({ brokers: broker.brokers, prefix: 'run' }) : join(run, 'streams');
  const streams = openStreams(place, kafkaOptions.parse({}));
  const records = await checkRecords(streams, count);
  await streams.close();

  const machine = `${cpus()[0]!.model.trim()}, ${cpus().length} threads`;
  console.log(`${machine}; ${broker ? 'Kafka' : 'embedded log'}`);
  console.log(`${count} images in ${seconds.toFixed(0)} s: ${(count / seconds).toFixed(0)} a second, all stages`);
  console.log(`of that after the last decision: ${after.toFixed(0)} s`);
  const summary = JSON.parse(output.trimEnd().split('\n').at(-1)!) as Summary;
  const isWhole = reportRecords(summary, records, count);
  const isFlat = reportMemory(watch, count, ID_TABLES[broker ? 'kafka' : 'embedded']);
  const perImage = PROCESSES.map((name) => [name, watch.cpuSeconds(name) / count]);
  const cpuSeconds = Object.fromEntries(perImage) as SoakCosts['cpuSeconds'];
  for (const name of PROCESSES) console.log(`${name}: ${(1e6 * cpuSeconds[name]).toFixed(0)} µs of CPU time an image`);
  const { bytes } = records;
  console.log(`bytes a record: ${Object.entries(bytes).map(([topic, n]) => `${topic} ${n.toFixed(0)}`).join(', ')}`); // prettier-ignore
  const costs = { machine, streams: broker ? 'kafka' : 'embedded', images: count, seconds, cpuSeconds, bytes } as const;
  return { isWell: isWhole && isFlat, costs };
}

async function alignArgs(of: {
  readonly work: string;
  readonly images: string;
  readonly run: string;
  readonly annotator: Served;
  readonly parity: Served;
  readonly broker: Broker | undefined;
}): Promise<string[]> {
  const endpoints = join(of.work, 'endpoints.json');
  await writeFile(endpoints, JSON.stringify({ annotator: of.annotator.address, parity: of.parity.address }));
  const config = join(of.work, 'config.json');
  await writeFile(config, JSON.stringify({ trainer: { training: { epochs: 1 } } }));
  const kafka = of.broker ? ['--streams', 'kafka', '--brokers', of.broker.brokers.join(',')] : [];
  return ['align', '--images', of.images, '--task', 'okvqa', '--teacher', TINY, '--student', TINY, '--out', of.run, '--endpoints', endpoints, '--config', config, '--json', ...kafka]; // prettier-ignore
}

function reportRecords(summary: Summary, { lost, twice, latency, selected }: RecordCheck, count: number): boolean {
  const isWhole =
    [summary.images, summary.annotated].every((n) => n === count) &&
    summary.selected === selected &&
    lost + twice === 0;
  console.log(`records lost ${lost}, twice ${twice}: ${isWhole ? 'all there' : 'NOT ALL THERE'}`);
  const [median, p99, longest] = [latency.median, latency.p99, latency.longest].map((ms) => ms.toFixed(0));
  console.log(`from annotation to decision: median ${median} ms, p99 ${p99} ms, longest ${longest} ms`);
  return isWhole;
}

function reportMemory(watch: ProcessWatch, count: number, tables: number): boolean {
  const ids = tables * (idTableBytes(0.9 * count) - idTableBytes(0.2 * count));
  let isFlat = true;
  for (const name of PROCESSES) {
    const [early, middle, late] = [0.2, 0.5, 0.9].map((from) => watch.least(name, from, from + 0.1)) as [number, number, number]; // prettier-ignore
    if (![early, middle, late].every(Number.isFinite)) {
      console.log('memory: not told, the job was too short to look at it at 20, 50 and 90 %');
      return false;
    }
    const kept = name === 'mpa align' ? ids : 0;
    isFlat &&= late - kept <= FLAT * early;
    const figures = [early, middle, late].map((bytes) => (bytes / MIB).toFixed(0)).join(', ');
    const beside = kept > 0 ? `, ${((late - kept) / early).toFixed(2)}x beside ${(kept / MIB).toFixed(0)} MiB of ids` : ''; // prettier-ignore
    console.log(`memory of ${name}: ${figures} MiB at 20, 50 and 90 %: ${(late / early).toFixed(2)}x${beside}`);
  }
  console.log(`memory is ${isFlat ? 'flat' : `NOT FLAT (more than ${FLAT} times)`}`);
  return isFlat;
}

await main().catch((error: Error & { readonly code?: string }) => {
  console.error(`soak: ${error.message}`);
  process.exitCode = error.code?.startsWith('ERR_PARSE_ARGS') ? 2 : 1;
});
