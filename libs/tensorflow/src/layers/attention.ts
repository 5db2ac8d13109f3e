import type { AttentionOptions } from '@mpa/vlm';
import { tf } from '../tf.js';
import type { Tensor } from '../tf.js';
import { rotate } from './rotary.js';
import type { RotaryTable } from './rotary.js';

/** Added to the score of a key that may not be seen. */
export const HIDDEN = -1e9;

/** What an attention layer needs beside its projections. */
export interface AttentionContext {
  /** Added to the scaled scores: [B, 1, T, T] or [B, 1, 1, T], 0 where a key may be seen and -1e9 where not. */
  readonly mask: Tensor | undefined;
  /** Rotation of each token, when the layer has one. */
  readonly rotary: RotaryTable | undefined;
  /** Receives the probabilities [B, heads, T, T]. */
  readonly record?: (probabilities: Tensor) => void;
}

/**
 * Scaled dot-product attention with grouped queries: q [B, T, heads*d], k and v [B, T, kvHeads*d] -> [B, T, heads*d].
 * The queries that share a key head are stacked along the rows of one product, so keys are never copied.
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions,
  context: AttentionContext,
): Tensor {
  const [batch = 0, tokens = 0] = q.shape;
  const { heads, kvHeads, headDim } = options;
  const split = (x: Tensor, count: number): Tensor => x.reshape([batch, tokens, count, headDim]);
  const turn = (x: Tensor): Tensor => (context.rotary ? rotate(x, context.rotary) : x);
  const stacked = [batch, kvHeads, (heads / kvHeads) * tokens, headDim];
  const queries = turn(split(q, heads))
    .mul(headDim ** -0.5)
    .transpose([0, 2, 1, 3])
    .reshape(stacked);
  const keys = turn(split(k, kvHeads)).transpose([0, 2, 1, 3]); // [B, kvHeads, T, d]
  const values = split(v, kvHeads).transpose([0, 2, 1, 3]);
  let scores = tf.matMul(queries, keys, false, true).reshape([batch, heads, tokens, tokens]);
  if (context.mask) scores = scores.add(context.mask);
  const grouped = [batch, kvHeads, stacked[2]!, tokens];
  let mixed: Tensor;
  if (context.record) {
    const probabilities = softmax(scores);
    context.record(probabilities);
    mixed = tf.matMul(probabilities.reshape(grouped), values);
  } else mixed = softmaxProduct(scores.reshape(grouped), values);
  return mixed
    .reshape([batch, heads, tokens, headDim])
    .transpose([0, 2, 1, 3])
    .reshape([batch, tokens, heads * headDim]);
}

/** Softmax over the last axis; its gradient in the two-pass form `(dy - sum(dy y)) y`. */
function softmax(x: Tensor): Tensor {
  return tf.customGrad((input, save) => {
    const value = tf.softmax(input as Tensor);
    (save as (tensors: Tensor[]) => void)([value]);
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => dy.sub(dy.mul(saved[0]!).sum(-1, true)).mul(saved[0]!),
    };
  })(x);
}

/**
 * `softmax(x) v` over the last axis of x [., R, T] with v [., T, d]. The gradient's sum over T keys, `sum(dp p)`, is that over d
 * channels, `sum(dy y)`: one pass over a T x T matrix less. Source: FlashAttention, arXiv 2205.14135, appendix B.2.
 */
function softmaxProduct(x: Tensor, v: Tensor): Tensor {
  return tf.customGrad((scores, values, save) => {
    const probabilities = tf.softmax(scores as Tensor);
    const value = tf.matMul(probabilities, values as Tensor);
    (save as (tensors: Tensor[]) => void)([probabilities, values as Tensor, value]);
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [p, right, y] = saved as [Tensor, Tensor, Tensor];
        const dp = tf.matMul(dy, right, false, true);
        return [dp.sub(dy.mul(y).sum(-1, true)).mul(p), tf.matMul(p, dy, true)];
      },
    };
  })(x, v);
}
