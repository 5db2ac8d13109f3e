import { MetricError } from './metric-error.js';

/** What stands as an answer in the JSON files of the paper's code; null counts as an empty text. */
export type JsonAnswer = string | number | null;

/** The substring test of the paper's released code (vl2g/MPA, `scripts/utils/utils.py`): letters, digits and underscores of `answer` occur in `prediction`. */
export function containsAnswer(prediction: JsonAnswer, answer: JsonAnswer): boolean {
  return wordCharacters(prediction).includes(wordCharacters(answer));
}

/**
 * The accuracy of the paper's released code, 0 or 1: the most frequent answer (the first of equals) is a substring of
 * the prediction. Only to compare with its numbers: "no" is found in "nokia", and an empty answer everywhere.
 *
 * @throws MetricError without answers.
 */
export function mpaContainment(prediction: JsonAnswer, answers: readonly JsonAnswer[]): number {
  return containsAnswer(prediction, mostFrequent(answers)) ? 1 : 0;
}

function wordCharacters(answer: JsonAnswer): string {
  return String(answer ?? '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]/gu, '');
}

function mostFrequent(answers: readonly JsonAnswer[]): JsonAnswer {
  const counts = new Map<JsonAnswer, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const [first, ...others] = counts;
  if (first === undefined) throw new MetricError('mpa_containment needs at least one annotated answer, got none');
  return others.reduce((best, entry) => (entry[1] > best[1] ? entry : best), first)[0];
}
