import { canonicalAnswer } from './canonical-answer.js';

/**
 * A question in the form under which repetitions are counted: case, punctuation, articles and the writing of numbers
 * make no difference. Empty for a text without letters and digits.
 */
export function normalizeQuestion(question: string): string {
  return canonicalAnswer(question).words.join(' ');
}
