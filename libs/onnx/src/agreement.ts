import type { OnnxModel } from './onnx-model.js';
import type { Prompt } from './prompt-batch.js';

/** How far a model in a lower precision is from the same model in float32. */
export interface Agreement {
  /** Share of greedy tokens that are the same up to the first different one of each answer, in [0, 1]. */
  readonly sameTokens: number;
  /** Share of prompts whose whole greedy answer is the same. */
  readonly sameAnswers: number;
  /** Share of prompt positions at which the likeliest next token is the same. */
  readonly sameNextTokens: number;
  /** Largest difference of a logit, over all positions of all prompts. */
  readonly logits: number;
  /** Mean difference, without sign, of the log-probability of a token of the reference's answers, in nats. */
  readonly logProbs: number;
}

/** A prompt with its images as the processor gives them: each model encodes them itself. */
export interface ImagePrompt {
  readonly ids: Int32Array;
  readonly images: Parameters<OnnxModel['encodeImage']>[0];
}

/** Compares `model` to `reference` on prompts, with greedy answers of `maxNewTokens`. Prompts run one at a time. */
export async function measureAgreement(
  reference: OnnxModel,
  model: OnnxModel,
  prompts: readonly ImagePrompt[],
  maxNewTokens: number,
): Promise<Agreement> {
  const totals = { tokens: 0, same: 0, answers: 0, next: 0, positions: 0, logits: 0, logProbs: 0 };
  for (const { ids, images } of prompts) {
    const theirs = await observe(reference, { ids, images: await reference.encodeImage(images) }, maxNewTokens);
    const own = await observe(model, { ids, images: await model.encodeImage(images) }, maxNewTokens, theirs.answer);
    const parting = theirs.answer.findIndex((id, i) => id !== own.answer[i]);
    totals.tokens += theirs.answer.length;
    totals.same += parting < 0 ? theirs.answer.length : parting;
    totals.answers += parting < 0 ? 1 : 0;
    totals.positions += ids.length;
    totals.next += theirs.next.filter((id, i) => id === own.next[i]).length;
    theirs.logits.forEach((logit, i) => (totals.logits = Math.max(totals.logits, Math.abs(logit - own.logits[i]!))));
    theirs.logProbs.forEach((value, i) => (totals.logProbs += Math.abs(value - own.logProbs[i]!)));
  }
  return {
    sameTokens: totals.same / totals.tokens,
    sameAnswers: totals.answers / prompts.length,
    sameNextTokens: totals.next / totals.positions,
    logits: totals.logits,
    logProbs: totals.logProbs / totals.tokens,
  };
}

interface Observation {
  readonly answer: Int32Array;
  readonly logits: Float32Array;
  readonly next: Int32Array;
  /** Of the reference's answer. */
  readonly logProbs: readonly number[];
}

async function observe(
  model: OnnxModel,
  prompt: Prompt,
  maxNewTokens: number,
  given?: Int32Array,
): Promise<Observation> {
  const answer = (await model.generate([prompt], { maxNewTokens }))[0]![0]!.ids;
  const logits = (await model.logits([prompt]))[0]!;
  const { logProbs } = (await model.score([{ ...prompt, answer: given ?? answer }]))[0]!;
  const { vocabSize } = model.shape;
  const next = Int32Array.from(prompt.ids, (_, i) => likeliest(logits.subarray(i * vocabSize, (i + 1) * vocabSize)));
  return { answer, logits, next, logProbs };
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}
