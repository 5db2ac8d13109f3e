import type { Task } from '@mpa/answer-metrics';
import type { EvaluationResult } from '@mpa/contracts';

/** Where a benchmark's server takes predictions; ChartQA has none. */
export const servers: Partial<Readonly<Record<Task, string>>> = {
  textvqa: 'EvalAI (textvqa.org/challenge)',
  stvqa: 'Robust Reading Competition, challenge 11 (rrc.cvc.uab.es)',
  okvqa: 'VQA evaluation format (visualqa.org)',
};

/** What such a server takes: a list of question ids, as numbers where they are numbers, and answers. */
export function submission(
  results: readonly Pick<EvaluationResult, 'questionId' | 'prediction'>[],
): { readonly question_id: number | string; readonly answer: string }[] {
  return results.map(({ questionId, prediction }) => ({
    question_id: /^\d+$/.test(questionId) ? Number(questionId) : questionId,
    answer: prediction,
  }));
}
