import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tasks } from '@mpa/answer-metrics';
import type { Task } from '@mpa/answer-metrics';
import { drawSample, loadBenchmark, writeWorld } from '@mpa/benchmarks';
import { create, DecisionSchema, DecisionStatus, taskOf } from '@mpa/contracts';
import type { Decision } from '@mpa/contracts';
import type { Unlabeled } from './gather.js';
import type { Questions } from './level.js';

/** Labelled images of each task, to measure with. */
const EVALUATED_IMAGES = 50;
/** The number of image 0 of a seed, see `writeWorld`. */
const SEEDS_APART = 1_000_000;

/** What a seed draws. */
export interface Drawn {
  /** Images in rounds over the tasks, so that the first n of them are of all tasks alike. */
  readonly images: readonly Unlabeled[];
  /** A true question and answer for each of them, in their order. */
  readonly truth: readonly Decision[];
  /** True answers by image path and question. */
  readonly answers: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Labelled questions on other images. */
  readonly questions: Questions;
}

/** Draws `count` unlabeled images in all, a multiple of four, and the labelled ones. */
export async function draw(seed: number, count: number, folder: string): Promise<Drawn> {
  const ofTask = count / tasks.length;
  const drawn: { readonly image: Unlabeled; readonly truth: Decision; readonly round: number }[] = [];
  const answers = new Map<string, ReadonlyMap<string, string>>();
  const questions: Partial<Record<Task, Questions[Task]>> = {};
  for (const task of tasks) {
    const unlabeled = await writeWorld({ task, split: 'train', count: ofTask, seed, out: join(folder, task, 'train') });
    const names = (await readdir(unlabeled.imageFolder)).sort();
    for (const [round, name] of names.entries()) {
      const path = join(unlabeled.imageFolder, name);
      const { questions: asked } = await drawSample(task, 'train', seed * SEEDS_APART + round);
      answers.set(path, new Map(asked.map(({ question, answer }) => [question, answer])));
      drawn.push({ image: { task, path }, truth: trueDecision(task, path, asked[0]!), round });
    }
    const test = { task, split: 'test', count: EVALUATED_IMAGES, seed, out: join(folder, task, 'test') } as const;
    const labelled = await writeWorld(test);
    questions[task] = (await loadBenchmark(task, labelled.annotations!, labelled.imageFolder)).samples;
  }
  drawn.sort((a, b) => a.round - b.round);
  return {
    images: drawn.map(({ image }) => image),
    truth: drawn.map(({ truth }) => truth),
    answers,
    questions: questions as Questions,
  };
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
