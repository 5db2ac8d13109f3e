import { anlsVlmEvalKit } from './anls-vlmevalkit.js';
import { anls } from './anls.js';
import { exactMatch } from './exact-match.js';
import { MetricError } from './metric-error.js';
import { mpaContainment } from './mpa-containment.js';
import { relaxedAccuracy, relaxedAccuracyVlmEvalKit } from './relaxed-accuracy.js';
import type { Task } from './task.js';
import { vqaAccuracyOfficial } from './vqa-accuracy-official.js';
import { vqaAccuracyOkvqa } from './vqa-accuracy-okvqa.js';
import { vqaAccuracyTextvqa } from './vqa-accuracy-textvqa.js';

const metrics = {
  vqa_accuracy_official: vqaAccuracyOfficial,
  vqa_accuracy_textvqa: vqaAccuracyTextvqa,
  vqa_accuracy_okvqa: vqaAccuracyOkvqa,
  anls,
  anls_vlmevalkit: anlsVlmEvalKit,
  relaxed_accuracy: relaxedAccuracy,
  relaxed_accuracy_vlmevalkit: relaxedAccuracyVlmEvalKit,
  exact_match: exactMatch,
  mpa_containment: mpaContainment,
} satisfies Record<string, (prediction: string, answers: readonly string[]) => number>;

/** Name of a metric that {@link score} knows. */
export type MetricName = keyof typeof metrics;

/** Every {@link MetricName}. */
export const metricNames = Object.keys(metrics) as readonly MetricName[];

const metricOfTask: Record<Task, MetricName> = {
  textvqa: 'vqa_accuracy_textvqa',
  stvqa: 'anls',
  chartqa: 'relaxed_accuracy',
  okvqa: 'vqa_accuracy_okvqa',
};

/** The metric that a benchmark's leaderboard uses. */
export function metricOf(task: Task): MetricName {
  return metricOfTask[task];
}

/**
 * One prediction's score in [0, 1] against its annotated answers.
 *
 * @throws MetricError for an unknown metric, a prediction or answer that is not a string (other than for
 * mpa_containment), or a number of answers that
 * the metric is not defined for (none; for TextVQA other than ten).
 */
export function score(metric: MetricName, prediction: string, answers: readonly string[]): number {
  if (!Object.hasOwn(metrics, metric)) {
    throw new MetricError(`unknown metric ${JSON.stringify(metric)}; the metrics are ${metricNames.join(', ')}`);
  }
  if (metric !== 'mpa_containment') assertTexts(metric, prediction, answers);
  return metrics[metric](prediction, answers);
}

// Answers come from JSON files. The reference implementation alone takes them as they are: null as an empty text.
function assertTexts(metric: MetricName, prediction: string, answers: readonly string[]): void {
  if (typeof prediction !== 'string') {
    throw new MetricError(`${metric}: the prediction must be a string, got ${JSON.stringify(prediction)}`);
  }
  if (!Array.isArray(answers) || !answers.every((answer) => typeof answer === 'string')) {
    throw new MetricError(`${metric}: the answers must be a list of strings, got ${JSON.stringify(answers)}`);
  }
}
