import { anlsThreshold } from './anls.js';
import { codePoints, levenshtein } from './levenshtein.js';
import { MetricError } from './metric-error.js';
import { split } from './python-text.js';

/**
 * ANLS as VLMEvalKit and lmms-eval publish it, in [0, 1]: distance between texts with collapsed white space, divided
 * by the length of the raw upper-cased ones, so that padding raises the score (open-compass/VLMEvalKit,
 * `vqa_eval.py`). For comparison with their numbers.
 *
 * @throws MetricError without answers.
 */
export function anlsVlmEvalKit(prediction: string, answers: readonly string[]): number {
  if (answers.length === 0) throw new MetricError('anls_vlmevalkit needs at least one annotated answer, got none');
  const least = Math.min(...answers.map((answer) => normalizedDistance(prediction, answer)));
  return 1 - least < anlsThreshold ? 0 : 1 - least;
}

function normalizedDistance(prediction: string, answer: string): number {
  const longer = Math.max(codePoints(prediction.toUpperCase()), codePoints(answer.toUpperCase()));
  return longer === 0 ? 0 : levenshtein(collapse(prediction), collapse(answer)) / longer;
}

function collapse(text: string): string {
  return split(text.toLowerCase()).join(' ');
}
