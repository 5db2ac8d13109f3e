import { smolVlm } from '@mpa/vlm';
import type { ImageInput, SmolVlmConfig, Weights } from '@mpa/vlm';
import { IGNORED } from './batch.js';
import type { TrainingSample } from './batch.js';

const IMAGE = 50;

/** A SmolVLM of a few thousand parameters, for tests. */
export const tinyConfig: SmolVlmConfig = smolVlm.readConfig({
  model_type: 'smolvlm',
  image_token_id: IMAGE,
  scale_factor: 2,
  tie_word_embeddings: true,
  text_config: {
    vocab_size: 60,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 8,
  },
  vision_config: {
    hidden_size: 12,
    intermediate_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    image_size: 16,
    patch_size: 4,
  },
});

/** A repeatable stream of numbers in [0, 1). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Random weights of a size at which every part of the model matters. */
export function tinyWeights(seed: number): Weights {
  const shapes = smolVlm.weights(tinyConfig);
  const values = new Map<string, Float32Array>();
  const random = numbers(seed);
  for (const [name, shape] of shapes) {
    const length = shape.reduce((product, n) => product * n, 1);
    values.set(
      name,
      Float32Array.from(
        { length },
        () => (random() - 0.5) * 0.8 + (name.includes('norm') && name.endsWith('weight') ? 1 : 0),
      ),
    );
  }
  return {
    names: [...shapes.keys()],
    shape: (name) => shapes.get(name)!,
    dtype: () => 'F32',
    read: (name) => values.get(name)!.slice(),
  };
}

/** One tile of random pixels; it becomes four image tokens. */
export function tinyImage(seed: number): ImageInput {
  const random = numbers(seed);
  return {
    vision: {
      pixels: { data: Float32Array.from({ length: 3 * 16 * 16 }, () => random() * 2 - 1), shape: [1, 3, 16, 16] },
      positionIds: { data: Int32Array.from({ length: 16 }, (_, i) => i), shape: [1, 16] },
    },
    tokens: 4,
  };
}

/** Token ids of a prompt on one image. */
export function tinyPrompt(words: readonly number[]): Int32Array {
  return Int32Array.from([1, IMAGE, IMAGE, IMAGE, IMAGE, ...words]);
}

/** A prompt and its answer as one plain sequence. */
export function tinySample(image: ImageInput, words: readonly number[], answer: readonly number[]): TrainingSample {
  const prompt = tinyPrompt(words);
  const ids = Int32Array.from([...prompt, ...answer]);
  return { ids, labels: ids.map((id, i) => (i < prompt.length ? IGNORED : id)), images: [image] };
}
