import { join, resolve } from 'node:path';
import { tasks, type Task } from '@mpa/answer-metrics';
import { loadBenchmark } from '@mpa/benchmarks';
import type { Precision } from '@mpa/onnx';
import { writeFileAtomically } from '@mpa/storage';
import { Option, type Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { modelReports } from '../evaluation/evaluation-report.js';
import type { EvaluationReport, ModelReport } from '../evaluation/evaluation-report.js';
import { readResults } from '../evaluation/read-results.js';
import { runEvaluation } from '../evaluation/run-evaluation.js';
import type { Evaluated } from '../evaluation/run-evaluation.js';
import { servers, submission } from '../evaluation/submission.js';
import { labelled } from '../labelled.js';
import { wholeNumber } from '../option-values.js';
import { openProgress } from '../progress/progress.js';
import type { Progress } from '../progress/progress.js';
import { comparisonTable } from './compare.js';

interface EvaluateFlags {
  readonly model: readonly string[];
  readonly benchmark: Task;
  readonly annotations: string;
  readonly imageRoot: string;
  readonly limit: number;
  readonly out?: string;
  readonly precision: Precision;
  readonly batch: number;
  readonly maxTokens: number;
  readonly json?: boolean;
}

/** Missing images that are named on the error stream; the results name all. */
const NAMED = 5;

/** `mpa evaluate`: checkpoints on a benchmark, in its own files and by its own metric. */
export function addEvaluate(program: Command, context: CommandContext): void {
  program
    .command('evaluate')
    .description("score checkpoints on a benchmark's own files by its own metric; run it again to go on")
    .requiredOption(
      '--model <dir...>',
      'checkpoint folders, or URL#MODEL of an endpoint, also as label=...; more than one take turns',
    )
    .addOption(new Option('--benchmark <name>', 'which one').choices(tasks).makeOptionMandatory())
    .requiredOption(
      '--annotations <file>',
      "its questions and answers, in its own schema; for ChartQA also a split's folder",
    )
    .requiredOption('--image-root <dir>', 'folder of its images')
    .option('--limit <n>', 'ask the first n questions only', wholeNumber(1), 0)
    .option('--out <dir>', 'folder of results.jsonl, report.json and submissions (default: runs/evaluate-<benchmark>)')
    .addOption(
      new Option('--precision <precision>', 'how weights are stored')
        .choices(['float32', 'int8', 'int4'])
        .default('float32'),
    )
    .option('--batch <n>', 'questions answered together', wholeNumber(1), 8)
    .option('--max-tokens <n>', 'most tokens of an answer', wholeNumber(1), 24)
    .option('--json', 'print the report as one JSON object')
    .action((flags: EvaluateFlags) => evaluate(flags, context));
}

async function evaluate(flags: EvaluateFlags, context: CommandContext): Promise<void> {
  const { out, stderr, signal, cacheDirectory, env } = context;
  const { benchmark: task, limit, precision, batch, maxTokens } = flags;
  const [annotations, imageRoot] = [resolve(flags.annotations), resolve(flags.imageRoot)];
  const folder = resolve(flags.out ?? join('runs', `evaluate-${task}`));
  const models = labelled(flags.model);
  const progress = openProgress(stderr);
  try {
    const questions = await checkQuestions(task, annotations, imageRoot, progress);
    const results = join(folder, 'results.jsonl');
    const model = { cacheDir: join(cacheDirectory, 'graphs'), precision, maxNewTokens: maxTokens };
    const evaluated = await runEvaluation({
      ...{ task, annotations, imageRoot, models, limit, results, progress, signal, env },
      settings: { model, batch },
      questions: limit > 0 ? Math.min(limit, questions) : questions,
    });
    progress.close();
    const [summary] = [...evaluated.values()].map((one) => one.summary);
    const report: EvaluationReport = {
      ...{ benchmark: task, annotations, imageRoot },
      metric: summary!.metric,
      questions: summary!.questions,
      withoutAnswers: summary!.withoutAnswers,
      missing: summary!.missingImages,
      settings: { precision, batch, maxTokens, limit },
      models: await withSubmissions(task, folder, evaluated, await modelReports(evaluated, models)),
      results,
    };
    await writeFileAtomically(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    if (flags.json) return out(JSON.stringify(report));
    for (const line of reportLines(report)) out(line);
    if (report.missing > 0) for (const line of await missingLines(results)) out(line);
    out(`report     ${join(folder, 'report.json')}`);
  } finally {
    progress.close();
  }
}

/** How many questions can be asked; names the first images that are missing. */
async function checkQuestions(task: Task, annotations: string, imageRoot: string, progress: Progress): Promise<number> {
  const { samples, missing } = await loadBenchmark(task, annotations, imageRoot);
  if (samples.length === 0) {
    throw new CliError(`none of the images of ${annotations} is under ${imageRoot} (${missing.length} questions; the first looked for ${missing[0]?.imagePath}); give the right --image-root`); // prettier-ignore
  }
  for (const { id, imagePath } of missing.slice(0, NAMED)) progress.note(`question ${id}: there is no ${imagePath}`);
  if (missing.length > NAMED) progress.note(`and ${missing.length - NAMED} more; the results name them all`);
  return samples.length;
}

async function withSubmissions(
  task: Task,
  folder: string,
  evaluated: Evaluated,
  reports: Readonly<Record<string, ModelReport>>,
): Promise<Record<string, ModelReport>> {
  if (!servers[task]) return { ...reports };
  const written = Object.entries(reports).map(async ([label, report]) => {
    const file = join(folder, `submission-${label}.json`);
    await writeFileAtomically(file, `${JSON.stringify(submission(evaluated.get(label)!.results))}\n`);
    return [label, { ...report, submission: file }] as const;
  });
  return Object.fromEntries(await Promise.all(written));
}

function reportLines(report: EvaluationReport): string[] {
  const { benchmark, questions, withoutAnswers, missing, metric, models } = report;
  const counts = [
    ...(withoutAnswers > 0 ? [`${withoutAnswers} without published answers, not scored`] : []),
    ...(missing > 0 ? [`${missing} not asked, their images are missing or unreadable`] : []),
  ];
  const all = Object.entries(models);
  const compared = all.flatMap(([name, { accuracy, n, versusFirst }]) =>
    accuracy && n ? [{ name, accuracy, n, ...(versusFirst && { versusFirst }) }] : [],
  );
  const [first] = all;
  const server = servers[benchmark];
  return [
    `benchmark  ${benchmark}, ${[`${questions} questions`, ...counts].join('; ')}`,
    ...(metric === '' ? [] : [`metric     ${metric}`, '', ...comparisonTable(compared)]),
    '',
    ...all.flatMap(([label, { subsets = {} }]) =>
      Object.entries(subsets).map(([name, { mean, low, high, n }]) => {
        const [at, from, to] = [mean, low, high].map((value) => (100 * value).toFixed(1));
        return `${label}, ${name}: ${at} % (${from} to ${to}), n ${n}`;
      }),
    ),
    ...all.map(
      ([
        label,
        {
          answersPerSecond,
          latencyMilliseconds: { p50, p95 },
        },
      ]) => {
        const latency = `latency ${p50.toFixed(0)} ms (p95 ${p95.toFixed(0)} ms)`;
        return `${label}: ${answersPerSecond.toFixed(1)} answers/s, ${latency}`;
      },
    ),
    `prompt     ${JSON.stringify(first![1].prompt)}`,
    ...(server ? [`submission ${all.map(([, { submission: file }]) => file).join(', ')}: for ${server}`] : []),
    `results    ${report.results}`,
  ];
}

/** Those whose image was there and could not be read; the missing ones were named before. */
async function missingLines(results: string): Promise<string[]> {
  const { skipped } = await readResults(results);
  const unreadable = skipped.filter(({ reason }) => reason !== 'missing');
  return unreadable
    .slice(0, NAMED)
    .map(({ questionId, image, reason }) => `question ${questionId}: ${image} is ${reason}`);
}
