import type { ModelShape } from '@mpa/vlm';
import { joined } from './joined.js';
import { OnnxError } from './onnx-error.js';
import { promptBatch } from './prompt-batch.js';
import type { Prompt } from './prompt-batch.js';
import { runText } from './run-text.js';
import type { SessionThread } from './session-thread.js';
import { seededUniforms } from './seeded-uniforms.js';

export interface GenerateOptions {
  /** Most new tokens of an answer. */
  readonly maxNewTokens: number;
  /** End tokens are forbidden in an answer's first so many tokens; default 0. */
  readonly minNewTokens?: number;
  /** 0, the default, takes the likeliest token; above, tokens are drawn from the softmax of logits / temperature. */
  readonly temperature?: number;
  /** Draw from the likeliest tokens that together reach this probability; default 1, all. */
  readonly topP?: number;
  /** The same seed, prompt (tokens and draw key) and options give the same answers, whatever else is in the batch; default 0. */
  readonly seed?: number;
  /** Answers per prompt, from one prefill; more than 1 needs a temperature. Default 1. */
  readonly answers?: number;
}

/** One answer. */
export interface Generated {
  /** Its tokens, the end token included. */
  readonly ids: Int32Array;
  /** The model's log-probability of each, at temperature 1 and with nothing forbidden. */
  readonly logProbs: readonly number[];
  /** Whether it came to an end token within `maxNewTokens`. */
  readonly ended: boolean;
}

/** Generates in one run: prefill and the whole decode loop are in the graph. Throws OnnxError for options out of range. */
export async function generate(
  session: SessionThread,
  shape: ModelShape,
  endIds: readonly number[],
  prompts: readonly Prompt[],
  options: GenerateOptions,
): Promise<Generated[][]> {
  const { maxNewTokens, minNewTokens = 0, temperature = 0, topP = 1, seed = 0, answers = 1 } = options;
  checkOptions(options);
  if (prompts.length === 0) return [];
  const batch = promptBatch(shape, prompts, maxNewTokens);
  const rows = prompts.flatMap((_, i) => Array.from({ length: answers }, () => i));
  const uniforms = joined(new Float32Array(rows.length * maxNewTokens), [...rows.entries()], ([row, prompt]) =>
    seededUniforms(seed, prompts[prompt]!, row % answers, maxNewTokens),
  );
  const outputs = await runText(
    session,
    batch,
    { rows, steps: maxNewTokens, minimum: minNewTokens, endIds, temperature, topP, uniforms },
    ['firstIds', 'firstLogProbs', 'restIds', 'restLogProbs'],
  );
  const ids = [...(outputs.firstIds.data as Int32Array), ...(outputs.restIds.data as Int32Array)];
  const logProbs = [...(outputs.firstLogProbs.data as Float32Array), ...(outputs.restLogProbs.data as Float32Array)];
  const column = <V>(values: readonly V[], row: number): V[] => values.filter((_, i) => i % rows.length === row);
  return prompts.map((_, i) =>
    Array.from({ length: answers }, (_, k) => {
      const row = i * answers + k;
      return untilEnd(column(ids, row), column(logProbs, row), endIds);
    }),
  );
}

// Rows that ended go on beside the others; what they say then is cut off.
function untilEnd(ids: readonly number[], logProbs: readonly number[], endIds: readonly number[]): Generated {
  const end = ids.findIndex((id) => endIds.includes(id));
  const length = end < 0 ? ids.length : end + 1;
  return { ids: Int32Array.from(ids.slice(0, length)), logProbs: logProbs.slice(0, length), ended: end >= 0 };
}

function checkOptions(options: GenerateOptions): void {
  const { maxNewTokens, minNewTokens = 0, temperature = 0, topP = 1, answers = 1 } = options;
  const require = (holds: boolean, rule: string): void => {
    if (!holds) throw new OnnxError(`Generation options: ${rule}.`);
  };
  require(Number.isInteger(maxNewTokens) && maxNewTokens > 0, 'maxNewTokens must be a positive integer');
  require(Number.isInteger(minNewTokens) && minNewTokens >= 0, 'minNewTokens must be 0 or a positive integer');
  require(temperature >= 0 && Number.isFinite(temperature), 'temperature must be 0 (greedy) or a positive number');
  require(topP > 0 && topP <= 1, 'topP must be above 0 and at most 1');
  require(Number.isInteger(answers) && answers > 0, 'answers must be a positive integer');
  require(answers === 1 || temperature > 0, 'several answers need a temperature above 0, or all would be the same');
}
