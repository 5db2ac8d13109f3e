import { leaveOneOut } from './leave-one-out.js';
import { MetricError } from './metric-error.js';
import { cleanAnswer, processDigitArticle, processPunctuation } from './vqa-normalization.js';

const asciiDigits = { comma: /[0-9],[0-9]/, period: /\.(?![0-9])/g };

/** An answer as `vqaEval.py` compares it where the annotators disagree. */
export function normalizeOfficial(text: string): string {
  return processDigitArticle(processPunctuation(cleanAnswer(text), asciiDigits));
}

/**
 * VQA accuracy by the data set's own program (GT-Vision-Lab/VQA, `vqaEval.py`), in [0, 1]. Answers are normalised
 * only where the annotators disagree: against a unanimous answer the comparison is case-sensitive.
 *
 * @throws MetricError without answers.
 */
export function vqaAccuracyOfficial(prediction: string, answers: readonly string[]): number {
  if (answers.length === 0) throw new MetricError('VQA accuracy needs at least one annotated answer, got none');
  const unanimous = new Set(answers.map(cleanAnswer)).size === 1;
  const normalize = unanimous ? cleanAnswer : normalizeOfficial;
  const predicted = normalize(prediction);
  return leaveOneOut(answers.filter((answer) => normalize(answer) === predicted).length, answers.length);
}
