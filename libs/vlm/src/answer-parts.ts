import type { Processor } from './processor.js';

/** An answer as tokens, and which part of it each token belongs to. */
export interface AnswerParts {
  /** [n], end token included. */
  readonly ids: Int32Array;
  /** [n] index of the part in which the token begins; what follows the last part, the end token, is the last part's. */
  readonly parts: Int32Array;
}

/** Tokens of an answer given in parts (`parts.join('')` is the answer), whatever the tokenizer makes of where they meet. */
export function answerParts(processor: Processor, parts: readonly string[]): AnswerParts {
  const ids = processor.answer(parts.join(''));
  // Tokens may begin with the space that is put before an answer, or end in half a character: lengths are those of all text so far.
  const whole = processor.decode(ids);
  const lead = Math.max(0, whole.length - parts.join('').length);
  const ends: number[] = [];
  for (const part of parts) ends.push((ends.at(-1) ?? lead) + part.length);
  return {
    ids,
    parts: Int32Array.from(ids, (_, i) => {
      const begin = processor.decode(ids.subarray(0, i)).length;
      const part = ends.findIndex((end) => begin < end);
      return part < 0 ? parts.length - 1 : part;
    }),
  };
}
