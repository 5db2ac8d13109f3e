import { MetricError } from './metric-error.js';
import { strip } from './python-text.js';

/**
 * 1 if the prediction is one of the answers but for case and white space at the ends, else 0.
 *
 * @throws MetricError without answers.
 */
export function exactMatch(prediction: string, answers: readonly string[]): number {
  if (answers.length === 0) throw new MetricError('exact_match needs at least one annotated answer, got none');
  const predicted = strip(prediction).toLowerCase();
  return answers.some((answer) => strip(answer).toLowerCase() === predicted) ? 1 : 0;
}
