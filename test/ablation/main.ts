import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { tasks } from '@mpa/answer-metrics';
import type { Task } from '@mpa/answer-metrics';
import { drawSample, loadBenchmark, writeWorld } from '@mpa/benchmarks';
import { demonstration } from '@mpa/cli';
import { create, DecisionSchema, DecisionStatus, taskOf } from '@mpa/contracts';
import type { Decision } from '@mpa/contracts';
import { defaultCacheDirectory, loadTensorflow } from '@mpa/tensorflow';
import { distil } from './distil.js';
import { gather } from './gather.js';
import type { Unlabeled } from './gather.js';
import { accuracyOf, level } from './level.js';
import type { Questions } from './level.js';
import { meanOf, Results } from './results.js';
import type { Result } from './results.js';
import { isSelected, rows } from './rows.js';
import type { Material } from './rows.js';
import { meanAndInterval } from './statistics.js';

const { teacher, student, annotator, training } = demonstration;
/** Everything that the L-VLM can tell. */
const SIGNALS = { ...annotator.signals, nBest: { answers: 4 } };
const EVALUATED_IMAGES = 20;
/** The number of image 0 of a seed, see `writeWorld`. */
const SEEDS_APART = 1_000_000;
const TABLE = 'rows';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '5' },
      images: { type: 'string', default: '110' },
      out: { type: 'string', default: 'runs/ablation' },
    },
  });
  await loadTensorflow({ backend: 'native' });
  const out = resolve(values.out);
  await mkdir(out, { recursive: true });
  const results = await Results.open(join(out, 'results.jsonl'));
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    await ablate(seed, Number(values.images), join(out, `seed-${seed}`), results);
  }
  for (const [key, what] of PRINTED) printRow(key, what, results.of(TABLE, key));
}

/** The table, row by row. */
const PRINTED: readonly (readonly [key: string, what: string])[] = [
  ['teacher', 'the L-VLM'],
  ['a', 'no training'],
  ...rows.map(({ key, what }) => [key, what] as const),
  ['i', 'logit distillation'],
  ['j', 'd, then a second round'],
];

function printRow(key: string, what: string, results: readonly Result[]): void {
  const means = results.map((result) => 100 * meanOf(result));
  const cells =
    means.length > 1 ? Object.values(meanAndInterval(means)).map((n) => n.toFixed(1)) : [means[0]!.toFixed(1), '-'];
  console.log(`${key.padEnd(8)} ${what.padEnd(32)} ${cells[0]!.padStart(5)} % +- ${cells[1]!}`);
}

async function ablate(seed: number, count: number, folder: string, results: Results): Promise<void> {
  const cacheDir = join(defaultCacheDirectory(), 'graphs');
  const { images, questions, truth } = await draw(seed, count, join(folder, 'images'));
  const pair = { teacher, student, cacheDir };
  const settings = { ...annotator, seed, signals: SIGNALS };
  const material: Material = { ...(await gather(images, pair, settings, join(folder, 'gathered'))), truth };
  const selected = material.decisions.filter(isSelected);
  const budget = { samples: selected.length * training.epochs };
  const options = { ...training, reasoning: 0, seed };
  const measure = async (row: string, samples: number, make: () => Promise<string>): Promise<void> => {
    const began = performance.now();
    const result = await results.once({ table: TABLE, row, seed }, async () => {
      const accuracy = await accuracyOf(await make(), questions, cacheDir);
      return { accuracy, samples };
    });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`seed ${seed}, ${row}: ${(100 * meanOf(result)).toFixed(1)} % from ${samples} samples (${seconds} s)`);
  };
  const work = join(folder, 'work');
  await measure('a', 0, () => Promise.resolve(student));
  await measure('teacher', 0, () => Promise.resolve(teacher));
  for (const { key, decisions, loss } of rows) {
    const chosen = decisions(material, seed);
    await measure(key, chosen.length, () => level(student, chosen, { ...options, ...loss }, budget, work));
  }
  await measure('i', selected.length, () => distil({ teacher, student }, selected, options, budget, work));
  await measure('j', selected.length, async () => {
    const half = { samples: Math.round(budget.samples / 2) };
    const once = await level(student, selected, options, half, join(work, 'first'));
    const again = await gather(images, { ...pair, student: once }, settings, join(folder, 'second'));
    return level(once, again.decisions.filter(isSelected), options, half, work);
  });
  await rm(work, { recursive: true, force: true });
}

/** Unlabeled images, what they truly show, and labelled questions on others. */
async function draw(
  seed: number,
  count: number,
  folder: string,
): Promise<{ images: Unlabeled[]; questions: Questions; truth: Decision[] }> {
  const images: Unlabeled[] = [];
  const truth: Decision[] = [];
  const questions: Partial<Record<Task, Questions[Task]>> = {};
  for (const task of tasks) {
    const unlabeled = await writeWorld({ task, split: 'train', count, seed, out: join(folder, task, 'train') });
    const names = (await readdir(unlabeled.imageFolder)).sort();
    for (const [i, name] of names.entries()) {
      const path = join(unlabeled.imageFolder, name);
      images.push({ task, path });
      const [asked] = (await drawSample(task, 'train', seed * SEEDS_APART + i)).questions;
      truth.push(trueDecision(task, path, asked!));
    }
    const test = { task, split: 'test', count: EVALUATED_IMAGES, seed, out: join(folder, task, 'test') } as const;
    const labelled = await writeWorld(test);
    questions[task] = (await loadBenchmark(task, labelled.annotations!, labelled.imageFolder)).samples;
  }
  return { images, questions: questions as Questions, truth };
}

function trueDecision(
  task: Task,
  path: string,
  asked: { readonly question: string; readonly answer: string },
): Decision {
  const { question, answer } = asked;
  const image = { uri: pathToFileURL(path).href, path };
  const fields = { sampleId: path, runId: 'truth', task: taskOf(task), question, answer, selfCheck: answer, image };
  return create(DecisionSchema, { ...fields, status: DecisionStatus.SELECTED, weight: 1 });
}

await main();
