import { MetricError } from './metric-error.js';
import { pythonFloat, strip } from './python-text.js';

/** How far a number may be from ChartQA's answer, relative to that answer. */
export const chartqaTolerance = 0.05;

/**
 * ChartQA's relaxed accuracy, 0 or 1: a number may be off by 5 % of the answer, anything else must be equal but for
 * case (arXiv 2203.10244; EvolvingLMMs-Lab/lmms-eval, `chartqa`). An answer of zero is compared as text; years are
 * numbers. Right if right for one of the answers; ChartQA has one each.
 *
 * @throws MetricError without answers.
 */
export function relaxedAccuracy(prediction: string, answers: readonly string[]): number {
  if (answers.length === 0) throw new MetricError('relaxed_accuracy needs at least one annotated answer, got none');
  return answers.some((answer) => isRelaxedMatch(prediction, answer)) ? 1 : 0;
}

/** {@link relaxedAccuracy} as VLMEvalKit publishes it: the prediction loses white space at its ends first. */
export function relaxedAccuracyVlmEvalKit(prediction: string, answers: readonly string[]): number {
  return relaxedAccuracy(strip(prediction), answers);
}

function isRelaxedMatch(prediction: string, answer: string): boolean {
  const predicted = toNumber(prediction);
  const target = toNumber(answer);
  if (predicted !== null && target !== null && target !== 0) {
    return Math.abs(predicted - target) / Math.abs(target) <= chartqaTolerance;
  }
  return prediction.toLowerCase() === answer.toLowerCase();
}

function toNumber(text: string): number | null {
  if (!text.endsWith('%')) return pythonFloat(text);
  const value = pythonFloat(text.replace(/%+$/, ''));
  return value === null ? null : value / 100;
}
