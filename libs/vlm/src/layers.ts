import type { RotaryOptions } from './rotary.js';

/** Pointwise non-linearities, by their names in Hugging Face configs. */
export type Activation = 'gelu' | 'gelu_pytorch_tanh' | 'quick_gelu' | 'silu' | 'relu';

/** Multi-head attention over projected queries, keys and values. */
export interface AttentionOptions {
  /** Query heads. */
  readonly heads: number;
  /** Key and value heads; each serves `heads / kvHeads` query heads (GQA). */
  readonly kvHeads: number;
  /** Width of one head. */
  readonly headDim: number;
  /** Which tower this is: the backend applies that tower's mask, positions and KV cache. Text is causal, vision is not. */
  readonly tower: 'vision' | 'text';
  /** Index of the layer in its tower (the KV cache slot; whose probabilities are recorded). */
  readonly layer: number;
  /** Rotates queries and keys by their positions first. */
  readonly rotary?: RotaryOptions;
  /** Whether patches see those of their window alone (`VisionInputs.windows`). */
  readonly windowed?: boolean;
}

/** How an image is cut into patches. */
export interface PatchEmbedOptions {
  /** Pixels per side of a patch. */
  readonly patchSize: number;
  readonly bias: boolean;
}

/**
 * The vocabulary in which a model family is written once. `T` is a tensor (libs/tensorflow: eager, differentiable) or
 * a graph value (libs/onnx). Weights are named as in the checkpoint. Shapes: B sequences, T tokens, N views, P patches,
 * D width. The backend owns what differs between training and decoding: positions, masks and KV caches.
 */
export interface Layers<T> {
  /** One block of a tower: what `work` makes beside its result may be freed when it is done. */
  block(work: () => T): T;
  /** Elementwise sum of equal shapes. */
  add(a: T, b: T): T;
  /** Elementwise product of equal shapes. */
  multiply(a: T, b: T): T;
  /** Adds `weight`, whose axes are the last ones of `x` (or 1, there or before them). */
  addWeight(x: T, weight: string): T;
  /** Multiplies by `weight` [D] along the last axis. */
  scale(x: T, weight: string): T;
  /** Puts the token `weight` ([D] or [1, 1, D]) before the patches of each tile: [N, P, D] -> [N, P + 1, D]. */
  prependToken(x: T, weight: string): T;
  /** Leaves out the first token of each tile: [N, P, D] -> [N, P - 1, D]. */
  dropFirst(x: T): T;
  /** Joins values side by side along the last axis. */
  concat(parts: readonly T[]): T;
  /** Elementwise non-linearity. */
  activation(x: T, kind: Activation): T;
  /** `x W^T (+ b)` over the last axis; `module` names `${module}.weight` [out, in] and, with bias, `${module}.bias` [out]. */
  linear(x: T, module: string, options?: { readonly bias?: boolean }): T;
  /** Rows of `weight` [V, D] at integer `ids` [B, T] -> [B, T, D]. */
  embedding(ids: T, weight: string): T;
  /** Layer normalisation over the last axis with `${module}.weight` and `${module}.bias`. */
  layerNorm(x: T, module: string, epsilon: number): T;
  /** Root-mean-square normalisation over the last axis with `${module}.weight`. */
  rmsNorm(x: T, module: string, epsilon: number): T;
  /** Attention of q [., T, heads*headDim] over k and v [., T, kvHeads*headDim] -> [., T, heads*headDim]. */
  attention(q: T, k: T, v: T, options: AttentionOptions): T;
  /** Convolution of stride `patchSize`, `${module}.weight` [D, 3, p, p] and, with bias, `.bias`: pixels [N, 3, h, w] -> [N, P, D], row by row. */
  patchEmbed(pixels: T, module: string, options: PatchEmbedOptions): T;
  /** The same of pixels that are cut already, without bias: patches [N, P, in] -> [N, P, D]; `${module}.weight` [D, ...] has `in` values a row. */
  projectPatches(patches: T, module: string): T;
  /** The last axis in `count` equal parts. */
  split(x: T, count: number): readonly T[];
  /** Every `count` neighbours in a row as one: [N, P, D] -> [N, P/count, count*D]. */
  joinPatches(x: T, count: number): T;
  /** Space to depth of a square grid: [N, P, D] -> [N, P/s^2, D*s^2], channels ordered (row, column, D) as in Idefics3. */
  pixelShuffle(x: T, scale: number): T;
  /** Replaces the rows of `x` [B, T, D] where `ids` [B, T] is `imageTokenId` by the rows of `features` [N, F, D], in order. */
  placeImageFeatures(x: T, features: T, ids: T, imageTokenId: number): T;
}
