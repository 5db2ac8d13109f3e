import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTensorflow } from '@mpa/tensorflow';
import { openCheckpoint } from '@mpa/vlm';
import type { Checkpoint } from '@mpa/vlm';
import { printAgreement } from './agreement-table.js';
import { printDuplicates } from './duplicates.js';
import { printGrpcLoad } from './grpc.js';
import { printListing } from './listing.js';
import { compareAlone } from './compare-alone.js';
import { timeMainJob } from './pipeline-overhead.js';
import { startPythonPeer } from './python-peer.js';
import type { PythonPeer } from './python-peer.js';
import { benchStreams } from './streams.js';
import { generateOnce, openForGeneration, tileSide, trainable, trainStep, workload } from './subject.js';

const ROOT = new URL('../../../', import.meta.url).pathname;
const MODELS = join(ROOT, 'libs', 'benchmarks', 'models');

/** One line of the table: both sides in turn, the least of each; less is better. */
interface Row {
  readonly what: string;
  readonly ours: number;
  readonly theirs: number;
  /** Theirs over ours. */
  readonly aim: number;
  /** Default seconds. */
  readonly unit?: 's' | 'GiB';
}

function print({ what, ours, theirs, aim, unit = 's' }: Row): void {
  const ratio = theirs / ours;
  const verdict = ratio >= aim ? 'reached' : 'missed';
  const figure = (value: number): string => `${value.toFixed(3).padStart(9)} ${unit.padEnd(3)}`;
  console.log(
    `${what.padEnd(46)} ${figure(ours)} ${figure(theirs)} ${ratio.toFixed(2).padStart(6)}x   aim ${aim}x ${verdict}`,
  );
}

/** Alternates the two sides `rounds` times after one uncounted round, so that neither has the quieter machine. */
async function race(
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<{ ours: number; theirs: number }> {
  const best = { ours: Infinity, theirs: Infinity };
  for (let round = 0; round <= rounds; round++) {
    const times = { ours: await ours(), theirs: await theirs() };
    if (round === 0) continue;
    best.ours = Math.min(best.ours, times.ours);
    best.theirs = Math.min(best.theirs, times.theirs);
  }
  return best;
}

/** Opening a checkpoint whose graphs are in the cache, against `from_pretrained`. */
async function loading(
  name: string,
  checkpoint: Checkpoint,
  peer: PythonPeer,
  settings: { rounds: number; threads: number; cacheDir: string },
): Promise<void> {
  const open = async (): Promise<number> => {
    const start = performance.now();
    await (await openForGeneration(checkpoint, { precision: 'float32', ...settings })).close();
    return (performance.now() - start) / 1000;
  };
  const request = { verb: 'load', folder: checkpoint.dir };
  const times = await race(settings.rounds, open, async () => (await peer.ask(request)).seconds);
  print({ what: `${name}: open, float32`, ...times, aim: 1 });
}

async function generation(
  name: string,
  checkpoint: Checkpoint,
  peer: PythonPeer,
  settings: { rounds: number; threads: number; cacheDir: string },
): Promise<void> {
  const work = workload(checkpoint);
  const request = {
    verb: 'generate',
    folder: checkpoint.dir,
    ids: [...work.ids],
    side: tileSide(checkpoint),
    tokens: work.newTokens,
  };
  for (const [precision, aim] of [
    ['float32', 2],
    ['int8', 3],
  ] as const) {
    const model = await openForGeneration(checkpoint, { precision, ...settings });
    for (const batch of [1, 8, 16]) {
      const times = await race(
        settings.rounds,
        () => generateOnce(model, checkpoint, work, batch),
        async () => (await peer.ask({ ...request, batch })).seconds,
      );
      print({ what: `${name}: generate, ${precision}, batch ${batch}`, ...times, aim });
    }
    await model.close();
  }
}

async function training(
  name: string,
  checkpoint: Checkpoint,
  peer: PythonPeer,
  { batch, rounds }: { batch: number; rounds: number },
): Promise<void> {
  const work = workload(checkpoint);
  const request = {
    verb: 'train',
    folder: checkpoint.dir,
    ids: [...work.ids],
    side: tileSide(checkpoint),
    answer: work.answerTokens,
    steps: 3,
    batch,
  };
  for (const way of ['full', 'LoRA'] as const) {
    const times = await race(
      rounds,
      async () => trainStep(checkpoint, work, batch, trainable(checkpoint, way), request.steps),
      async () => (await peer.ask({ ...request, lora: way === 'LoRA' })).seconds,
    );
    await peer.ask({ verb: 'reset' });
    print({ what: `${name}: training step, ${way}, batch ${batch}`, ...times, aim: 1 });
  }
}

/** Each side in processes of its own: from nothing to the first answer, and memory. */
async function alone(
  name: string,
  checkpoint: Checkpoint,
  settings: { rounds: number; threads: number; cacheDir: string },
): Promise<void> {
  for (const work of ['answer', 'answer in int8', 'train full', 'train LoRA'] as const) {
    const { seconds, bytes } = await compareAlone(work, checkpoint, settings);
    if (work === 'answer') print({ what: `${name}: from start to first answer`, ...seconds, aim: 1 });
    const [ours, theirs] = [bytes.ours / 2 ** 30, bytes.theirs / 2 ** 30];
    print({ what: `${name}: peak memory, ${work}`, ours, theirs, aim: 1, unit: 'GiB' });
  }
}

/** Share of the main job's time in which no model computes. */
async function pipeline(folder: string): Promise<void> {
  const { wall, busy } = await timeMainJob(folder);
  const idle = (wall - busy) / wall;
  const verdict = idle < 0.05 ? 'reached' : 'missed';
  console.log(
    `main job: no model computes in ${(wall - busy).toFixed(1)} s of ${wall.toFixed(1)} s, ${(100 * idle).toFixed(1)} %   aim 5 % ${verdict}`,
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '2' }, only: { type: 'string', default: '' } },
  });
  if (values.only === 'streams') return benchStreams();
  if (values.only === 'grpc') return printGrpcLoad();
  if (values.only === 'duplicates') return printDuplicates();
  const threads = availableParallelism();
  const temporary = await mkdtemp(join(tmpdir(), 'mpa-bench-'));
  const settings = { rounds: Number(values.rounds), threads, cacheDir: join(temporary, 'onnx') };
  if (values.only === 'listing') {
    console.log(`${cpus()[0]!.model.trim()}, ${threads} threads, ${Math.round(totalmem() / 2 ** 30)} GiB`);
    await printListing(temporary).finally(() => rm(temporary, { recursive: true, force: true }));
    return;
  }
  const { version } = await loadTensorflow({ backend: 'native' });
  const peer = await startPythonPeer(threads);
  try {
    console.log(
      `${cpus()[0]!.model.trim()}, ${threads} threads, ${Math.round(totalmem() / 2 ** 30)} GiB; TensorFlow ${version}`,
    );
    console.log(
      `${'fastest of alternating runs'.padEnd(46)} ${'ours'.padStart(11)} ${'PyTorch'.padStart(11)} ${'speed'.padStart(7)}`,
    );
    const full = join(temporary, 'smolvlm-256m');
    await mkdir(full);
    await cp(join(ROOT, 'test', 'fixtures', 'full-size', 'smolvlm-256m'), full, { recursive: true });
    await peer.ask({ verb: 'write_random', folder: full });
    const subjects = [
      { name: 'starter L-VLM', folder: join(MODELS, 'starter-large'), batch: 8 },
      { name: 'SmolVLM-256M', folder: full, batch: 1 },
    ].filter(({ name }) => name.includes(values.only));
    for (const { name, folder, batch } of subjects) {
      const checkpoint = await openCheckpoint(folder);
      await loading(name, checkpoint, peer, settings);
      await generation(name, checkpoint, peer, settings);
      await training(name, checkpoint, peer, { batch, rounds: settings.rounds });
      await alone(name, checkpoint, settings);
      checkpoint.close();
    }
    for (const size of ['large', 'small'] as const) {
      const name = `starter-${size}`;
      if (`agreement of ${name}`.includes(values.only)) await printAgreement(name, join(MODELS, name), settings);
    }
    if ('main job'.includes(values.only)) await pipeline(temporary);
    if (values.only === '') await benchStreams();
  } finally {
    await peer.close();
    await rm(temporary, { recursive: true, force: true });
  }
}

await main();
