import { levenshteinSimilarity } from './levenshtein.js';
import { MetricError } from './metric-error.js';
import { strip } from './python-text.js';

/** Similarity below which ANLS gives no credit; exactly 0.5 still counts. */
export const anlsThreshold = 0.5;

/**
 * Average normalised Levenshtein similarity of one question, in [0, 1]: the best over the answers, 0 below the
 * threshold (ST-VQA, arXiv 1905.13648; facebookresearch/mmf, `STVQAANLSEvaluator`). Two empty texts are alike (1),
 * where mmf divides by zero.
 *
 * @throws MetricError without answers.
 */
export function anls(prediction: string, answers: readonly string[]): number {
  if (answers.length === 0) throw new MetricError('anls needs at least one annotated answer, got none');
  const predicted = strip(prediction.toLowerCase());
  const best = Math.max(...answers.map((answer) => levenshteinSimilarity(predicted, strip(answer.toLowerCase()))));
  return best >= anlsThreshold ? best : 0;
}
