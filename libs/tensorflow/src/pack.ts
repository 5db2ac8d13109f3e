import type { ImageInput } from '@mpa/vlm';
import { IGNORED } from './batch.js';
import type { TrainingSample } from './batch.js';

/** A prompt and the answer to learn after it, as token ids. */
export interface PromptAndAnswer {
  readonly prompt: Int32Array;
  /** Ends with the end token. */
  readonly answer: Int32Array;
}

/**
 * One training sample of several prompts on the same images: what their prompts begin with alike (the image, above all)
 * stands once and is shared by the continuations. Gives the same loss as separate sequences. `turns` is not empty.
 */
export function packTurns(
  turns: readonly PromptAndAnswer[],
  images: readonly ImageInput[],
  weight = 1,
): TrainingSample {
  const shared = turns.length > 1 ? commonPrefix(turns.map((t) => t.prompt)) : 0;
  const length = shared + turns.reduce((n, t) => n + t.prompt.length - shared + t.answer.length, 0);
  const ids = new Int32Array(length);
  const labels = new Int32Array(length).fill(IGNORED);
  const segments = new Int32Array(length);
  ids.set(turns[0]!.prompt.subarray(0, shared));
  let at = shared;
  turns.forEach(({ prompt, answer }, i) => {
    const end = at + prompt.length - shared;
    ids.set(prompt.subarray(shared), at);
    ids.set(answer, end);
    labels.set(answer, end);
    segments.fill(turns.length > 1 ? i + 1 : 0, at, end + answer.length);
    at = end + answer.length;
  });
  return { ids, labels, images, weight, ...(turns.length > 1 && { segments }) };
}

function commonPrefix(sequences: readonly Int32Array[]): number {
  const [first = new Int32Array(), ...rest] = sequences;
  let length = 0;
  while (length < first.length && rest.every((s) => s[length] === first[length])) length++;
  return length;
}
