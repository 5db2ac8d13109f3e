import type { ModelShape } from '@mpa/vlm';
import { joined } from './joined.js';
import { promptBatch } from './prompt-batch.js';
import type { Prompt } from './prompt-batch.js';
import { runText } from './run-text.js';
import type { SessionThread } from './session-thread.js';

/** A prompt with an answer to score. */
export interface Answered extends Prompt {
  /** Tokens of the answer, the end token included where it is to count. */
  readonly answer: Int32Array;
  /** Whether to return attention maps. */
  readonly attention?: boolean;
}

export interface Scored {
  /** Log-probability of each token of the answer, given all before it. */
  readonly logProbs: readonly number[];
  /**
   * For each recorded layer, the last one last: softmax probabilities, mean over heads, from each token of the answer to
   * each token of prompt and answer, row-major [answer, prompt + answer].
   */
  readonly attention?: readonly Float32Array[];
}

/** Scores answers in one run, without the decode loop. Throws OnnxError for a sample that does not fit the model. */
export async function score(
  session: SessionThread,
  shape: ModelShape,
  samples: readonly Answered[],
): Promise<Scored[]> {
  if (samples.length === 0) return [];
  const sequences = samples.map(({ ids, answer, images }) => ({
    ids: joined(new Int32Array(ids.length + answer.length), [ids, answer], (part) => part),
    images,
  }));
  const batch = promptBatch(shape, sequences, 0);
  const positions = samples.map(({ ids, answer }, i) => Array.from(answer, (_, j) => i * batch.width + ids.length + j));
  const attended = positions.filter((_, i) => samples[i]!.attention === true).flat();
  const { targetLogProbs, attention } = await runText(
    session,
    batch,
    {
      targetRows: positions.flat().map((position) => position - 1), // what is before a token predicts it
      targets: samples.flatMap(({ answer }) => [...answer]),
      attentionRows: attended,
    },
    ['targetLogProbs', 'attention'],
  );
  const logProbs = targetLogProbs.data as Float32Array;
  const layers = attention.dims[0]!;
  const maps = attention.data as Float32Array; // [layers, attended, width]
  let scored = 0;
  let row = 0;
  return samples.map(({ ids, answer, attention: wanted }) => {
    const result = { logProbs: [...logProbs.subarray(scored, (scored += answer.length))] };
    if (wanted !== true) return result;
    const first = row;
    row += answer.length;
    const map = (layer: number): Float32Array =>
      cropped(maps, layer * attended.length + first, answer.length, batch.width, ids.length + answer.length);
    return { ...result, attention: Array.from({ length: layers }, (_, layer) => map(layer)) };
  });
}

// Rows `first`.. of a matrix of `width` columns, their first `columns` only.
function cropped(matrix: Float32Array, first: number, rows: number, width: number, columns: number): Float32Array {
  const parts = Array.from({ length: rows }, (_, i) => {
    const start = (first + i) * width;
    return matrix.subarray(start, start + columns);
  });
  return joined(new Float32Array(rows * columns), parts, (part) => part);
}

/** Logits of every position of each prompt, row-major [tokens, vocabulary]. */
export async function logits(
  session: SessionThread,
  shape: ModelShape,
  prompts: readonly Prompt[],
): Promise<Float32Array[]> {
  if (prompts.length === 0) return [];
  const batch = promptBatch(shape, prompts, 0);
  const targetRows = prompts.flatMap(({ ids }, i) => Array.from(ids, (_, j) => i * batch.width + j));
  const outputs = await runText(session, batch, { targetRows, targets: targetRows.map(() => 0) }, ['logits']);
  const values = outputs.logits.data as Float32Array;
  let start = 0;
  return prompts.map(({ ids }) => values.slice(start, (start += ids.length * shape.vocabSize)));
}
