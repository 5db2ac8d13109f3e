import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { demonstration } from '@mpa/cli';
import { matches, tasks } from '@mpa/answer-metrics';
import type { Task } from '@mpa/answer-metrics';
import { taskName } from '@mpa/contracts';
import type { Decision } from '@mpa/contracts';
import { defaultCacheDirectory } from '@mpa/tensorflow';
import { distil } from './distil.js';
import { draw } from './draw.js';
import type { Drawn } from './draw.js';
import { gather } from './gather.js';
import { accuracyOf, level } from './level.js';
import { withNoise } from './noise.js';
import { meanOf } from './results.js';
import { aboveProbability } from './statistics.js';
import type { Result, Results } from './results.js';
import { all, rehearsed, rows, selected } from './rows.js';
import type { Material, Terms } from './rows.js';

const { teacher, student, annotator, training } = demonstration;
const cacheDir = join(defaultCacheDirectory(), 'graphs');
/** Everything that the L-VLM can tell. */
const SIGNALS = { ...annotator.signals, nBest: { answers: 4 } };
/** Cross-entropy alone, unless a row says more. */
const PLAIN = { ...training, confidence: 0, attention: 0, reasoning: 0, discrepancyWeight: 0 };

/** Seed of the images that coefficients are chosen on; no table of the test has it. */
export const VALIDATION_SEED = 901;
/** What is tried there. */
export const CANDIDATES: readonly (readonly [row: string, terms: Terms])[] = [
  ['no term', {}],
  ...[0.1, 0.3, 1].map((confidence) => [`confidence ${confidence}`, { confidence }] as const),
  ...[0.3, 1, 3].map((attention) => [`attention ${attention}`, { attention }] as const),
  ...[0.3, 1, 2].map((reasoning) => [`reasoning ${reasoning}`, { reasoning }] as const),
  ['all, weighted', { confidence: 0.3, attention: 1, reasoning: 0.3, discrepancyWeight: 1 }],
];
/** Shares of the largest number of unlabeled images that the sweep uses. */
export const SWEPT = [1 / 40, 1 / 20, 1 / 10, 1 / 4, 1 / 2, 1] as const;
/** Share of them that the rows use. */
export const ROWS_USE = 1 / 2;
/** Shares of the annotations that are wrong on purpose. */
export const NOISE = [0.2, 0.4] as const;

const NOTHING = { samples: 0 };

/** The discrepancies of a decision. */
export const MEASURES = ['confidence', 'attention', 'reasoning'] as const;

/** What one seed is studied on. */
interface Study {
  readonly seed: number;
  readonly material: Material;
  /** True answers by image path and question. */
  readonly answers: Drawn['answers'];
  /** Measures a levelled model, once; `from` is what it learns from. */
  readonly measure: (
    table: string,
    row: string,
    from: Pick<Result, 'samples' | 'wrong'>,
    make: () => Promise<string>,
  ) => Promise<void>;
  /** Trains the S-VLM on the decisions, seeing `samples` of them in all. */
  readonly learn: (decisions: readonly Decision[], samples: number, terms?: Terms) => Promise<string>;
  readonly work: string;
}

/** Rows, sweep and noise of one seed. `count` unlabeled images are drawn in all. */
export async function ablate(seed: number, count: number, folder: string, results: Results): Promise<void> {
  const { study, images, gathering } = await begin(seed, count, folder, results);
  const { material, measure, learn, work } = study;
  await judge(study, results);
  await tellApart(study, results);
  const half = first(material, count * ROWS_USE);
  const samples = half.decisions.length;
  await measure('rows', 'a', NOTHING, () => Promise.resolve(student));
  await measure('rows', 'teacher', NOTHING, () => Promise.resolve(teacher));
  for (const { key, decisions, terms } of rows) {
    const chosen = decisions(half, seed);
    await measure('rows', key, { samples: chosen.length }, () => learn(chosen, samples, terms));
  }
  const gap = selected(half);
  const options = { ...PLAIN, seed };
  await measure('rows', 'i', { samples: gap.length }, () =>
    distil({ teacher, student }, gap, options, { samples }, work),
  );
  await measure('rows', 'j', { samples: gap.length }, async () => {
    const budget = { samples: Math.round(samples / 2) };
    const once = await level(student, gap, options, budget, join(work, 'first'));
    const pair = { ...gathering.pair, student: once };
    const again = await gather(images.slice(0, count * ROWS_USE), pair, gathering.settings, join(folder, 'second'));
    return level(once, selected(again), options, budget, work);
  });
  for (const share of SWEPT) {
    const part = first(material, count * share);
    const chosen = rehearsed(part);
    const { reasoning } = training;
    await measure('sweep', String(count * share), { samples: chosen.length }, () =>
      learn(chosen, part.decisions.length, { reasoning }),
    );
  }
  for (const share of NOISE) {
    const { decisions, wrong } = withNoise(half.decisions, share, seed);
    for (const [name, choose] of Object.entries({ unchecked: all, checked: selected })) {
      const chosen = choose({ decisions });
      const among = { samples: chosen.length, wrong: chosen.filter(({ sampleId }) => wrong.has(sampleId)).length };
      await measure('noise', `${name} ${share}`, among, () => learn(chosen, samples));
    }
  }
  await rm(work, { recursive: true, force: true });
}

/** The candidates' accuracies on the validation images, each with the gap and its rehearsal to learn from. */
export async function validate(count: number, folder: string, results: Results): Promise<void> {
  const { study } = await begin(VALIDATION_SEED, count, folder, results);
  const { material, measure, learn, work } = study;
  const chosen = rehearsed(material);
  await measure('validation', 'no training', NOTHING, () => Promise.resolve(student));
  for (const [row, terms] of CANDIDATES) {
    await measure('validation', row, { samples: chosen.length }, () => learn(chosen, material.decisions.length, terms));
  }
  await rm(work, { recursive: true, force: true });
}

/** How often the L-VLM's answer is the true one, where its question is one that we drew the image for. */
async function judge({ seed, material, answers }: Study, results: Results): Promise<void> {
  const agreeing = material.decisions.filter(({ cause }) => cause?.reason !== 'teacher_disagrees_with_itself');
  const kinds = { all: material.decisions, 'confirmed by the self-check': agreeing, 'parity gap': selected(material) };
  for (const [row, decisions] of Object.entries(kinds)) {
    const judged = decisions.flatMap((decision) => {
      const { image, question, answer } = decision;
      const task = taskName(decision.task);
      const truth = answers.get(image!.path)?.get(question);
      return truth === undefined ? [] : [{ task, right: matches(task, truth, answer) }];
    });
    const accuracy = byTask((task) => {
      const ofTask = judged.filter((one) => one.task === task);
      return ofTask.filter(({ right }) => right).length / ofTask.length;
    });
    await results.once({ table: 'annotations', row, seed }, () =>
      Promise.resolve({ accuracy, samples: judged.length }),
    );
  }
}

/** What each discrepancy is like where the S-VLM gives the L-VLM's answer, where it does not, and how well it tells the two apart. */
async function tellApart({ seed, material }: Study, results: Results): Promise<void> {
  for (const measure of MEASURES) {
    const of = (reason: string, task: Task): number[] =>
      material.decisions
        .filter(({ cause, task: own }) => cause?.reason === reason && taskName(own) === task)
        .flatMap(({ discrepancies }) => discrepancies?.[measure] ?? []);
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const rows = {
      agrees: byTask((task) => mean(of('student_agrees', task))),
      differs: byTask((task) => mean(of('student_differs', task))),
      'tells apart': byTask((task) => aboveProbability(of('student_differs', task), of('student_agrees', task))),
    };
    for (const [row, accuracy] of Object.entries(rows)) {
      const key = { table: 'discrepancies', row: `${measure} ${row}`, seed };
      await results.once(key, () => Promise.resolve({ accuracy, samples: material.decisions.length }));
    }
  }
}

function byTask(value: (task: Task) => number): Record<Task, number> {
  return Object.fromEntries(tasks.map((task) => [task, value(task)])) as Record<Task, number>;
}

async function begin(seed: number, count: number, folder: string, results: Results) {
  const { images, questions, truth, answers } = await draw(seed, count, join(folder, 'images'));
  const gathering = { pair: { teacher, student, cacheDir }, settings: { ...annotator, seed, signals: SIGNALS } };
  const { decisions } = await gather(images, gathering.pair, gathering.settings, join(folder, 'gathered'));
  const work = join(folder, 'work');
  const study: Study = {
    ...{ seed, work, answers },
    material: { decisions, truth },
    learn: (learnt, samples, terms = {}) => level(student, learnt, { ...PLAIN, seed, ...terms }, { samples }, work),
    measure: async (table, row, from, make) => {
      const began = performance.now();
      const result = await results.once({ table, row, seed }, async () => ({
        accuracy: await accuracyOf(await make(), questions, cacheDir),
        ...from,
      }));
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      console.log(
        `seed ${seed}, ${table} ${row}: ${(100 * meanOf(result)).toFixed(1)} % (${from.samples} samples, ${seconds} s)`,
      );
    },
  };
  return { study, images, gathering };
}

/** What the first `count` images gave. */
function first({ decisions, truth }: Material, count: number): Material {
  return {
    decisions: decisions.filter(({ sampleId }) => Number(sampleId.split('-').at(-1)) < count),
    truth: truth.slice(0, count),
  };
}
