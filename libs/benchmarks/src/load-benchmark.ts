import { access, readFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { metricOf, type MetricName } from '@mpa/answer-metrics';
import type { z } from 'zod';
import type { AnnotatedQuestion } from './annotations/annotated-question.js';
import { chartqaFile, readChartqa } from './annotations/chartqa.js';
import { okvqaAnnotationsFile, okvqaCombinedFile, okvqaQuestionsFile, okvqaQuestionsName, readOkvqa, readOkvqaCombined } from './annotations/okvqa.js'; // prettier-ignore
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
  answers: readonly string[];
  /** The benchmark's own metric. */
  metric: MetricName;
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
 * Reads a benchmark in its own schema: TextVQA 0.5.1, ST-VQA task 1, ChartQA (`test_human.json`), or OK-VQA (its annotations
 * file, with the questions file beside it, or the two combined in one list). Images are looked for under `imageRoot`.
 * Throws `BenchmarkError` when a file cannot be read, is no JSON, has another schema, or names an image outside `imageRoot`.
 */
export async function loadBenchmark(task: Task, annotationsFile: string, imageRoot: string): Promise<Benchmark> {
  const questions = await readQuestions(task, annotationsFile);
  const metric = metricOf(task);
  const benchmark: Benchmark = { samples: [], missing: [] };
  const found = new Map<string, Promise<string | undefined>>();
  for (const { id, imageNames, question, answers } of questions) {
    const paths = imageNames.map((name) => insideRoot(imageRoot, name, annotationsFile));
    const key = paths[0] ?? '';
    if (!found.has(key)) found.set(key, firstExisting(paths));
    const imagePath = await found.get(key);
    if (imagePath === undefined) benchmark.missing.push({ id, imagePath: key });
    else benchmark.samples.push({ id, imagePath, question, answers, metric });
  }
  return benchmark;
}

async function readQuestions(task: Task, file: string): Promise<AnnotatedQuestion[]> {
  const json = await readJson(file);
  switch (task) {
    case 'textvqa':
      return readTextvqa(check(textvqaFile, json, file));
    case 'stvqa':
      return readStvqa(check(stvqaFile, json, file));
    case 'chartqa':
      return readChartqa(check(chartqaFile, json, file));
    case 'okvqa': {
      if (Array.isArray(json)) return readOkvqaCombined(check(okvqaCombinedFile, json, file));
      const annotations = check(okvqaAnnotationsFile, json, file);
      const questionsFile = join(dirname(file), okvqaQuestionsName(annotations));
      return readOkvqa(annotations, check(okvqaQuestionsFile, await readJson(questionsFile), questionsFile));
    }
  }
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
