import type { TokenProbability } from '../teacher.js';

/**
 * Log-probability of each step of a text (`steps.join('')`), from the tokens of the text as it was said, white space around it
 * included; a token counts to the step in which it begins. Undefined where the tokens are not those of the steps.
 */
export function stepSums(steps: readonly string[], tokens: readonly TokenProbability[]): readonly number[] | undefined {
  const said = tokens.map(({ text }) => text).join('');
  const before = said.length - said.trimStart().length;
  if (steps.length === 0 || said.trim() !== steps.join('').trim()) return undefined;
  const sums = steps.map(() => 0);
  let at = -before;
  let step = 0;
  let end = steps[0]!.length;
  for (const { text, logProbability } of tokens) {
    while (at >= end && step < steps.length - 1) end += steps[++step]!.length;
    sums[step]! += logProbability;
    at += text.length;
  }
  return sums;
}
