import { normalizeEvalAi } from './evalai-normalization.js';
import { leaveOneOut } from './leave-one-out.js';

/**
 * OK-VQA's soft accuracy in [0, 1], over any number of annotators (EvolvingLMMs-Lab/lmms-eval, `ok_vqa`); 0 where
 * there are none. Answers are always normalised.
 */
export function vqaAccuracyOkvqa(prediction: string, answers: readonly string[]): number {
  const predicted = normalizeEvalAi(prediction);
  return leaveOneOut(answers.filter((answer) => normalizeEvalAi(answer) === predicted).length, answers.length);
}
