import { strip } from './python-text.js';
import { cleanAnswer, processDigitArticle, processPunctuation } from './vqa-normalization.js';

const unicodeDigits = { comma: /\p{Nd},\p{Nd}/u, period: /\.(?!\p{Nd})/gu };

/** An answer as the EvalAI server compares it: `EvalAIAnswerProcessor` of facebookresearch/mmf, `m4c_evaluators.py`. */
export function normalizeEvalAi(text: string): string {
  const tokenized = strip(text.toLowerCase().replace(/[,?]/g, '').replaceAll("'s", " 's"));
  return processDigitArticle(processPunctuation(cleanAnswer(tokenized), unicodeDigits));
}
