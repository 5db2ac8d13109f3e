import { MetricError } from './metric-error.js';
import { vqaAccuracyOkvqa } from './vqa-accuracy-okvqa.js';

const annotators = 10;

/**
 * TextVQA's soft accuracy in [0, 1] (facebookresearch/mmf, `TextVQAAccuracyEvaluator`): OK-VQA's rule over exactly ten annotators.
 *
 * @throws MetricError for any other number of answers.
 */
export function vqaAccuracyTextvqa(prediction: string, answers: readonly string[]): number {
  if (answers.length !== annotators) {
    throw new MetricError(
      `vqa_accuracy_textvqa is defined over ${annotators} annotated answers, got ${answers.length}; use vqa_accuracy_okvqa or exact_match for other numbers`,
    );
  }
  return vqaAccuracyOkvqa(prediction, answers);
}
