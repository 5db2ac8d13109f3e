import { access, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { metricOf, type MetricName } from '@mpa/answer-metrics';
import type { z } from 'zod';
import type { AnnotatedQuestion } from './annotations/annotated-question.js';
import { chartqaFile, readChartqa } from './annotations/chartqa.js';
import { conversationsFile, readConversations } from './annotations/conversations.js';
import { flatOkvqa, okvqaAnnotationsFile, okvqaCombinedFile, okvqaNestedFile, okvqaQuestionsFile, okvqaQuestionsName, readOkvqa, readOkvqaCombined } from './annotations/okvqa.js'; // prettier-ignore
import { readStvqa, stvqaFile } from './annotations/stvqa.js';
import { readTextvqa, textvqaFile } from './annotations/textvqa.js';
import { BenchmarkError } from './benchmark-error.js';
import type { Task } from '@mpa/answer-metrics';

/** One labelled question of a benchmark. */
export interface BenchmarkSample {
  id: string;
  /** An image file that exists. */
  imagePath: string;
  question: string;
  /** None in a test split whose answers are not published. */
  answers: readonly string[];
  /** The benchmark's own metric; `exact_match` where that one is defined over ten answers and the file has one. */
  metric: MetricName;
  /** `human` or `augmented`, where ChartQA's two files were read. */
  subset?: string;
}

/** A question that cannot be asked because its image is not there. */
export interface MissingImage {
  id: string;
  /** Where the image was looked for, under its most usual name. */
  imagePath: string;
}

/** A benchmark as loaded: every annotated question is in one of the two lists. */
export interface Benchmark {
  samples: BenchmarkSample[];
  missing: MissingImage[];
}

/**
 * Reads a benchmark in its own schema: TextVQA 0.5.1, ST-VQA task 1, ChartQA (one of its files, or the folder that has `*_human.json` and
 * `*_augmented.json`), OK-VQA (its annotations file, with the questions file beside it, or the two combined in one list, flat or by
 * image); or any of them as conversations with one answer. Images are looked for under `imageRoot`, and in the folders in it that the
 * benchmark's download has.
 * Throws `BenchmarkError` when a file cannot be read, is no JSON, has another schema, or names an image outside `imageRoot`.
 */
export async function loadBenchmark(task: Task, annotationsFile: string, imageRoot: string): Promise<Benchmark> {
  const questions = await readQuestions(task, annotationsFile);
  const benchmark: Benchmark = { samples: [], missing: [] };
  const found = new Map<string, Promise<string | undefined>>();
  for (const { id, imageNames, question, answers, subset } of questions) {
    const paths = imageNames.map((name) => insideRoot(imageRoot, name, annotationsFile));
    const key = paths[0] ?? '';
    if (!found.has(key)) found.set(key, firstExisting(paths));
    const imagePath = await found.get(key);
    if (imagePath === undefined) benchmark.missing.push({ id, imagePath: key });
    else {
      const metric = metricFor(task, answers);
      benchmark.samples.push({ id, imagePath, question, answers, metric, ...(subset && { subset }) });
    }
  }
  return benchmark;
}

/** Leaving one annotator out needs more than one. */
function metricFor(task: Task, answers: readonly string[]): MetricName {
  const softly = task === 'textvqa' || task === 'okvqa';
  return softly && answers.length === 1 ? 'exact_match' : metricOf(task);
}

/** The parts of ChartQA, as the names of its files end. */
const SUBSETS = ['human', 'augmented'] as const;

async function readChartqaFolder(folder: string): Promise<AnnotatedQuestion[]> {
  const names = await readdir(folder);
  const parts = SUBSETS.flatMap((subset) =>
    names.filter((name) => name.endsWith(`_${subset}.json`)).map((name) => ({ subset, file: join(folder, name) })),
  );
  if (parts.length !== SUBSETS.length) {
    throw new BenchmarkError(
      `${folder} does not hold one *_human.json and one *_augmented.json; give one file`,
      folder,
    );
  }
  const read = parts.map(async ({ subset, file }) => {
    const questions = readChartqa(check(chartqaFile, await readJson(file), file));
    return questions.map((question) => ({ ...question, id: `${subset}-${question.id}`, subset }));
  });
  return (await Promise.all(read)).flat();
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function readQuestions(task: Task, file: string): Promise<AnnotatedQuestion[]> {
  if (task === 'chartqa' && (await isFolder(file))) return readChartqaFolder(file);
  const json = await readJson(file);
  if (isListWith('conversations', json)) return readConversations(check(conversationsFile, json, file));
  switch (task) {
    case 'textvqa':
      return readTextvqa(check(textvqaFile, json, file));
    case 'stvqa':
      return readStvqa(check(stvqaFile, json, file));
    case 'chartqa':
      return readChartqa(check(chartqaFile, json, file));
    case 'okvqa': {
      if (isListWith('qas', json)) return readOkvqaCombined(flatOkvqa(check(okvqaNestedFile, json, file)));
      if (Array.isArray(json)) return readOkvqaCombined(check(okvqaCombinedFile, json, file));
      const annotations = check(okvqaAnnotationsFile, json, file);
      const questionsFile = join(dirname(file), okvqaQuestionsName(annotations));
      return readOkvqa(annotations, check(okvqaQuestionsFile, await readJson(questionsFile), questionsFile));
    }
  }
}

/** Whether a file is a list whose records have that field. */
function isListWith(field: string, json: unknown): boolean {
  return Array.isArray(json) && typeof json[0] === 'object' && json[0] !== null && field in json[0];
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new BenchmarkError(`cannot read ${file} (${(cause as Error).message}); give the path of the benchmark's annotations`, file, { cause }); // prettier-ignore
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new BenchmarkError(`${file} is not valid JSON (${(cause as Error).message}); download or write it again`, file, { cause }); // prettier-ignore
  }
}

function check<T>(schema: z.ZodType<T>, json: unknown, file: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') ?? '';
  const where = field === '' ? 'at the top' : `field ${field}`;
  throw new BenchmarkError(`${file}, ${where}: ${issue?.message ?? 'wrong schema'}; is this the right benchmark?`, file, { cause: result.error, field }); // prettier-ignore
}

function insideRoot(root: string, name: string, file: string): string {
  const path = resolve(root, name);
  if (!path.startsWith(resolve(root) + sep)) {
    throw new BenchmarkError(`${file} names the image ${name}, which is not under ${root}; give the folder that holds all its images`, file); // prettier-ignore
  }
  return path;
}

async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  return undefined;
}
