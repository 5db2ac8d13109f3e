import type { Task } from '@mpa/answer-metrics';
import type { EvaluationResult } from '@mpa/contracts';
import { isEndpoint } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';
import { openCheckpoint } from '@mpa/vlm';
import { compare, estimate, scoreOf } from './comparison.js';
import type { ComparedResults, Estimate } from './comparison.js';
import type { Evaluated } from './run-evaluation.js';

/** What `mpa evaluate` found, as `report.json` has it. */
export interface EvaluationReport {
  readonly benchmark: Task;
  readonly annotations: string;
  readonly imageRoot: string;
  /** The metric, or the metrics where questions differ in how many answers they have; empty without answers. */
  readonly metric: string;
  /** Questions that were asked. */
  readonly questions: number;
  /** Those of them whose answers the benchmark keeps to itself: predicted, not scored. */
  readonly withoutAnswers: number;
  /** Questions that were not asked, since their image is missing or unreadable; named in the results. */
  readonly missing: number;
  readonly settings: object;
  readonly models: Readonly<Record<string, ModelReport>>;
  readonly results: string;
}

/** One model on the benchmark. */
export interface ModelReport extends Partial<Omit<ComparedResults, 'name'>> {
  readonly checkpoint: string;
  /** By part of the benchmark, where it has parts. */
  readonly subsets?: Readonly<Record<string, Estimate & { readonly n: number }>>;
  /** The first question exactly as the model was given it, with its chat template. */
  readonly prompt: string;
  readonly answersPerSecond: number;
  readonly latencyMilliseconds: { readonly p50: number; readonly p95: number };
  /** File for the benchmark's server. */
  readonly submission?: string;
}

/** Accuracies with intervals, speeds and prompts by model. */
export async function modelReports(
  evaluated: Evaluated,
  checkpoints: ReadonlyMap<string, string>,
): Promise<Record<string, ModelReport>> {
  const compared = compare([...evaluated].map(([name, { results }]) => ({ name, results })));
  const reports: Record<string, ModelReport> = {};
  for (const [label, { results, summary }] of evaluated) {
    const checkpoint = checkpoints.get(label)!;
    const { name, ...scores } = compared.find((one) => one.name === label) ?? { name: label };
    const subsets = subsetsOf(results);
    reports[name] = {
      checkpoint,
      ...scores,
      ...(Object.keys(subsets).length > 0 && { subsets }),
      prompt: results[0] ? await promptOf(checkpoint, results[0].question) : '',
      answersPerSecond: summary.answersPerSecond,
      latencyMilliseconds: { p50: summary.latencyP50Milliseconds, p95: summary.latencyP95Milliseconds },
    };
  }
  return reports;
}

function subsetsOf(results: readonly EvaluationResult[]): Record<string, Estimate & { n: number }> {
  const names = [...new Set(results.map(({ subset }) => subset))].filter((name) => name !== '');
  return Object.fromEntries(
    names.flatMap((name) => {
      const own = results.filter(({ subset }) => subset === name);
      const scores = own.flatMap((result) => scoreOf(result) ?? []);
      return scores.length > 0 ? [[name, { ...estimate(scores), n: scores.length }]] : [];
    }),
  );
}

/** The text of a prompt; an image stands as its mark, which the processor expands. What an endpoint makes of it cannot be seen. */
async function promptOf(folder: string, question: string): Promise<string> {
  if (isEndpoint(folder)) return answerPrompt(question);
  const checkpoint = await openCheckpoint(folder);
  try {
    const content = [{ type: 'image' }, { type: 'text', text: answerPrompt(question) }] as const;
    return checkpoint.processor.chat([{ role: 'user', content }], { addGenerationPrompt: true });
  } finally {
    checkpoint.close();
  }
}
