import { z } from 'zod';
import { activation, readBySchema, size, squareSide } from '../config-schema.js';
import type { Activation } from '../layers.js';
import { checkTextConfig, textConfigSchema } from '../text-decoder/config.js';
import type { TextConfig } from '../text-decoder/config.js';
import { visionConfigOf } from '../vision-encoder/config.js';
import type { VisionConfig } from '../vision-encoder/config.js';
import { layersBehind } from '../vision-encoder/feature-layer.js';

/** The validated config of a LLaVA checkpoint, in the names of this code base. */
export interface LlavaConfig {
  readonly imageTokenId: number;
  readonly projectorActivation: Activation;
  readonly projectorBias: boolean;
  /**
   * The hidden states that are joined to the features, by how many layers they have behind them: 0 to `vision.layers`. A single one
   * is a list of one.
   */
  readonly featureLayers: readonly number[];
  /** Whether the first token, CLIP's class token, is left out of the features. */
  readonly dropsFirst: boolean;
  readonly tieWordEmbeddings: boolean;
  readonly text: TextConfig;
  readonly vision: VisionConfig & {
    readonly kind: 'clip' | 'siglip';
    /** SigLIP's pooling head, which a checkpoint may hold although nothing here reads it. */
    readonly poolingHead: boolean;
  };
}

const shared = {
  intermediate_size: size.default(3072),
  hidden_size: size.default(768),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  num_channels: z.literal(3).default(3),
  image_size: squareSide.default(224),
};

// Defaults are those of transformers' CLIPVisionConfig, SiglipVisionConfig and LlavaConfig: published configs omit them.
const visionSchema = z.preprocess(
  (json) => (typeof json === 'object' && json !== null ? { model_type: 'clip_vision_model', ...json } : json),
  z.discriminatedUnion('model_type', [
    z.object({
      ...shared,
      model_type: z.literal('clip_vision_model'),
      patch_size: squareSide.default(32),
      layer_norm_eps: z.number().positive().default(1e-5),
      hidden_act: activation.default('quick_gelu'),
    }),
    z.object({
      ...shared,
      model_type: z.literal('siglip_vision_model'),
      patch_size: squareSide.default(16),
      layer_norm_eps: z.number().positive().default(1e-6),
      hidden_act: activation.default('gelu_pytorch_tanh'),
      vision_use_head: z.boolean().default(true),
    }),
  ]),
);

const layer = z.number().int();
const schema = z.object({
  model_type: z.literal('llava'),
  image_token_index: z.number().int().nonnegative().optional(),
  image_token_id: z.number().int().nonnegative().optional(),
  projector_hidden_act: activation.default('gelu'),
  multimodal_projector_bias: z.boolean().default(true),
  vision_feature_layer: z
    .union([layer, z.array(layer).nonempty()], { error: 'must be a layer or a list of layers' })
    .default(-2),
  vision_feature_select_strategy: z.enum(['default', 'full']).default('default'),
  tie_word_embeddings: z.boolean().default(false),
  text_config: textConfigSchema('llama'),
  vision_config: visionSchema,
});

/**
 * Reads config.json of a LLaVA checkpoint, hub or v5 layout. Throws CheckpointError naming the field that is missing, wrong
 * or not supported.
 */
export function readLlavaConfig(json: unknown): LlavaConfig {
  const { text_config: text, vision_config: v, ...c } = readBySchema('config.json', schema, json);
  checkTextConfig(text);
  return {
    imageTokenId: c.image_token_index ?? c.image_token_id ?? 32000,
    projectorActivation: c.projector_hidden_act,
    projectorBias: c.multimodal_projector_bias,
    featureLayers: [c.vision_feature_layer].flat().map((index) => layersBehind(index, v.num_hidden_layers)),
    dropsFirst: c.vision_feature_select_strategy === 'default',
    tieWordEmbeddings: c.tie_word_embeddings || text.tieWordEmbeddings === true,
    text,
    vision: {
      kind: v.model_type === 'clip_vision_model' ? 'clip' : 'siglip',
      poolingHead: v.model_type === 'siglip_vision_model' && v.vision_use_head,
      ...visionConfigOf(v),
    },
  };
}
