/** A question about an image and its answer. */
export interface QuestionAndAnswer {
  readonly question: string;
  readonly answer: string;
}

/** The form in which an L-VLM is asked to reply: `Question: What is it? Answer: a lemon`. */
export function formatAnnotation({ question, answer }: QuestionAndAnswer): string {
  return `Question: ${question} Answer: ${answer}`;
}

const QUESTION = /^\s*(?:\d+[.)]\s*)?[*_>\-\s]*q(?:uestion)?\s*\d*\s*[*_]*\s*[:.)-]\s*[*_]*\s*/i;
const ANSWER = /[*_\s]*\b(?:a(?:nswer)?\s*\d*)\s*[*_]*\s*[:)]\s*[*_]*\s*/i;
const QUOTES = /^["'“”‘’`*_\s]+|["'“”‘’`*_\s]+$/g;

/**
 * Reads a question and an answer out of a model's reply: `Question: ... Answer: ...` on one line or two, with or without markdown,
 * numbering or quotes; or a question ending in "?" and then the answer. The question keeps its "?", and gets one if it
 * lacks it. Of several pairs the first counts. Undefined when either part is missing.
 */
export function parseAnnotation(reply: string): QuestionAndAnswer | undefined {
  const text = reply.replace(/^```\w*|```$/g, '').trim();
  const body = text.replace(QUESTION, '');
  const marker = ANSWER.exec(body.slice(1));
  const mark = body.indexOf('?');
  const split = marker
    ? { question: body.slice(0, marker.index + 1), answer: body.slice(marker.index + 1 + marker[0].length) }
    : mark > 0
      ? { question: body.slice(0, mark + 1), answer: body.slice(mark + 1) }
      : undefined;
  if (!split) return undefined;
  const question = oneLine(split.question);
  const answer = firstLine(split.answer).replace(QUOTES, '').replace(/\.$/, '').trim();
  if (!/[\p{L}\p{N}]/u.test(question) || answer === '') return undefined;
  return { question: /\?\W*$/.test(question) ? question : `${question.replace(/[.:;,!]+$/, '')}?`, answer };
}

function oneLine(text: string): string {
  return text.replace(QUOTES, '').replace(/\s+/g, ' ').trim();
}

/** The answer ends where its line does, or where the model begins another pair. */
function firstLine(text: string): string {
  const line = text.trim().split(/\r?\n/)[0] ?? '';
  return line.split(/\s*\b(?:Question|Q\d*)\s*:/i)[0]!;
}
