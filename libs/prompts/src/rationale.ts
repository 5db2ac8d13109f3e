/** What a model is told, below an image, to go through how it comes to an answer; `{question}` stands for the question. */
export const RATIONALE_PROMPT =
  'Explain in short numbered steps what on this image answers the question, and end with the answer. {question}';

/** What a model is told to explain itself: the template with its question. */
export function rationalePrompt(question: string, template = RATIONALE_PROMPT): string {
  return template.replaceAll('{question}', () => question);
}

/** Between steps: a line break, or the space after a sentence, but not after the number of a step. */
export const STEP_BREAK = String.raw`\n+|(?<=[^\d\s][.!?;])\s+`;

/**
 * Cuts a rationale into steps; joined they are the text again. `stepBreak` is a regular expression for what lies
 * between two steps and stays with the one before. A text without letters or digits has no steps.
 */
export function splitRationale(text: string, stepBreak = STEP_BREAK): string[] {
  const steps: string[] = [];
  let from = 0;
  for (const match of text.matchAll(new RegExp(stepBreak, 'g'))) {
    const end = match.index + match[0].length;
    if (end === from || !saysSomething(text.slice(from, end))) continue;
    steps.push(text.slice(from, end));
    from = end;
  }
  const rest = text.slice(from);
  if (saysSomething(rest)) steps.push(rest);
  else if (steps.length > 0) steps[steps.length - 1] += rest;
  return steps;
}

function saysSomething(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}
