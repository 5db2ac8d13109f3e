/** Sizes of a starter model: a small SmolVLM that this project pretrains on its drawn world. */
export interface StarterSize {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly scaleFactor: number;
  readonly vision: { readonly width: number; readonly layers: number; readonly heads: number };
  readonly text: { readonly width: number; readonly layers: number; readonly heads: number; readonly kvHeads: number };
}

/** The starter L-VLM, and a starter S-VLM at least four times smaller. */
export const starterSizes: Readonly<Record<'large' | 'small', StarterSize>> = {
  large: {
    imageSize: 128,
    patchSize: 8,
    scaleFactor: 2,
    vision: { width: 160, layers: 4, heads: 5 },
    text: { width: 160, layers: 4, heads: 5, kvHeads: 5 },
  },
  small: {
    imageSize: 128,
    patchSize: 8,
    scaleFactor: 2,
    vision: { width: 80, layers: 4, heads: 4 },
    text: { width: 80, layers: 3, heads: 4, kvHeads: 2 },
  },
};

/**
 * config.json of a starter model. ReLU instead of GELU and SiLU: `transformers` takes any activation by name, and one
 * pass over memory instead of six is what a training on two cores can afford.
 */
export function starterConfig(
  size: StarterSize,
  tokens: { vocabulary: number; image: number; end: number; pad: number },
): object {
  const { vision, text } = size;
  return {
    architectures: ['SmolVLMForConditionalGeneration'],
    model_type: 'smolvlm',
    image_token_id: tokens.image,
    pad_token_id: tokens.pad,
    scale_factor: size.scaleFactor,
    tie_word_embeddings: true,
    torch_dtype: 'float32',
    vocab_size: tokens.vocabulary,
    text_config: {
      model_type: 'llama',
      hidden_size: text.width,
      intermediate_size: 3 * text.width,
      num_hidden_layers: text.layers,
      num_attention_heads: text.heads,
      num_key_value_heads: text.kvHeads,
      head_dim: text.width / text.heads,
      hidden_act: 'relu',
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      vocab_size: tokens.vocabulary,
      max_position_embeddings: 1024,
      attention_bias: false,
      mlp_bias: false,
      tie_word_embeddings: true,
      bos_token_id: 1,
      eos_token_id: tokens.end,
      pad_token_id: tokens.pad,
    },
    vision_config: {
      model_type: 'smolvlm_vision',
      hidden_size: vision.width,
      intermediate_size: 3 * vision.width,
      num_hidden_layers: vision.layers,
      num_attention_heads: vision.heads,
      image_size: size.imageSize,
      patch_size: size.patchSize,
      hidden_act: 'relu',
      layer_norm_eps: 1e-6,
      num_channels: 3,
    },
  };
}
