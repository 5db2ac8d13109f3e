/**
 * Rotary position embedding, "rotate half" layout (Llama), over the first `2 * pairs` channels of a head: all of them, or with
 * Phi fewer, and the rest stay as they are.
 */
export interface RotaryOptions {
  /** Angle of each pair of channels at position 1 [pairs], float32 values. */
  readonly frequencies: readonly number[];
  /** Which of its token's positions turns each pair [pairs]; absent where a token has one position. */
  readonly axes?: readonly number[] | undefined;
}

/** Tokens with one position each, which turns `width` channels of a head. Source: transformers modeling_llama.py, LlamaRotaryEmbedding. */
export function plainRotary(theta: number, width: number): RotaryOptions {
  return { frequencies: frequenciesOf(theta, width) };
}

/**
 * M-RoPE: tokens with a time, a row and a column, which turn `sections` of the pairs one after the other; the sections add up to
 * headDim / 2. Source: transformers modeling_qwen2_vl.py, Qwen2VLRotaryEmbedding.
 */
export function multimodalRotary(theta: number, headDim: number, sections: readonly number[]): RotaryOptions {
  return {
    frequencies: frequenciesOf(theta, headDim),
    axes: sections.flatMap((pairs, i) => new Array<number>(pairs).fill(i % 3)),
  };
}

/**
 * Patches with a row and a column: the first half of the pairs is turned by the row and the second by the column, both with the
 * frequencies of half a head. Source: transformers modeling_qwen2_vl.py, Qwen2VLVisionRotaryEmbedding.
 */
export function axialRotary(theta: number, headDim: number): RotaryOptions {
  const frequencies = frequenciesOf(theta, headDim / 2);
  return { frequencies: [...frequencies, ...frequencies], axes: [0, 1].flatMap((axis) => frequencies.map(() => axis)) };
}

/** `theta^(-2i/dim)`, rounded to float32 after each step as PyTorch computes it. */
function frequenciesOf(theta: number, dim: number): number[] {
  return Array.from({ length: dim / 2 }, (_, i) => Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / dim))));
}
