import { z } from 'zod';
import { activation, checkDivides, readBySchema, size } from '../config-schema.js';
import { checkTextConfig, textConfigSchema } from '../text-decoder/config.js';
import type { TextConfig } from '../text-decoder/config.js';
import { visionConfigOf } from '../vision-encoder/config.js';
import type { VisionConfig } from '../vision-encoder/config.js';

/** The validated config of a SmolVLM / Idefics3 checkpoint, in the names of this code base. */
export interface SmolVlmConfig {
  readonly imageTokenId: number;
  readonly scaleFactor: number;
  readonly tieWordEmbeddings: boolean;
  readonly text: TextConfig;
  readonly vision: VisionConfig;
}

// Defaults are those of transformers' SmolVLMVisionConfig and SmolVLMConfig: published configs omit them.
const visionSchema = z.object({
  hidden_size: size.default(1152),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(16),
  num_channels: z.literal(3).default(3),
  image_size: size.default(224),
  patch_size: size.default(32),
  layer_norm_eps: z.number().positive().default(1e-6),
  hidden_act: activation.default('gelu_pytorch_tanh'),
});

const schema = z.object({
  model_type: z.enum(['smolvlm', 'idefics3']),
  image_token_id: z.number().int().nonnegative().default(128257),
  scale_factor: size.default(2),
  tie_word_embeddings: z.boolean().default(false),
  text_config: textConfigSchema('llama'),
  vision_config: visionSchema,
});

/**
 * Reads config.json of a SmolVLM or Idefics3 checkpoint, hub or v5 layout. Throws {@link CheckpointError} naming the
 * field that is missing, wrong or not supported.
 */
export function readSmolVlmConfig(json: unknown): SmolVlmConfig {
  const { text_config: text, vision_config: v, ...c } = readBySchema('config.json', schema, json);
  const vision = visionConfigOf(v);
  checkTextConfig(text);
  checkDivides(Math.floor(vision.imageSize / vision.patchSize), c.scale_factor, 'patches per side over scale_factor');
  return {
    imageTokenId: c.image_token_id,
    scaleFactor: c.scale_factor,
    tieWordEmbeddings: c.tie_word_embeddings,
    text,
    vision,
  };
}
