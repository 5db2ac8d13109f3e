import { z } from 'zod';
import { activation, checkDivides, readBySchema, size, squareSide } from '../config-schema.js';
import type { Activation } from '../layers.js';
import { checkTextConfig, textConfigSchema } from '../text-decoder/config.js';
import type { TextConfig } from '../text-decoder/config.js';
import { visionConfigOf } from '../vision-encoder/config.js';
import type { VisionConfig } from '../vision-encoder/config.js';
import { layersBehind } from '../vision-encoder/feature-layer.js';

/** The validated config of an InternVL checkpoint, in the names of this code base. */
export interface InternVlConfig {
  readonly imageTokenId: number;
  /** Patches per side that become one image token. */
  readonly scaleFactor: number;
  readonly projectorActivation: Activation;
  readonly tieWordEmbeddings: boolean;
  readonly text: TextConfig;
  readonly vision: VisionConfig & {
    readonly norm: 'layer_norm' | 'rms_norm';
    readonly queryKeyValueBias: boolean;
    readonly queryKeyNorm: boolean;
    readonly positions: boolean;
    /** A parameter that only pretraining uses. */
    readonly maskToken: boolean;
    /** Whether the tower ends in a layer norm, which only its last layer's features go through. */
    readonly finalNorm: boolean;
    /** How many layers are run, and whether the final norm is. */
    readonly usedLayers: number;
    readonly usesFinalNorm: boolean;
  };
}

// Defaults are those of transformers' InternVLVisionConfig and InternVLConfig: published configs omit them.
const visionSchema = z.object({
  hidden_size: size.default(1024),
  intermediate_size: size.default(4096),
  num_hidden_layers: size.default(24),
  num_attention_heads: size.default(16),
  num_channels: z.literal(3).default(3),
  image_size: squareSide.default(448),
  patch_size: squareSide.default(14),
  layer_norm_eps: z.number().positive().default(1e-6),
  hidden_act: activation.default('gelu'),
  norm_type: z.enum(['layer_norm', 'rms_norm']).default('layer_norm'),
  attention_bias: z.boolean().default(false),
  use_qk_norm: z.boolean().default(false),
  use_absolute_position_embeddings: z.boolean().default(true),
  use_mask_token: z.boolean().default(false),
  use_mean_pooling: z.boolean().default(true),
});

const schema = z.object({
  model_type: z.literal('internvl'),
  image_token_id: z.number().int().nonnegative().default(151667),
  downsample_ratio: z.number().positive().max(1).default(0.5),
  projector_hidden_act: activation.default('gelu'),
  vision_feature_layer: z.number().int().default(-1),
  vision_feature_select_strategy: z.literal('default').default('default'),
  tie_word_embeddings: z.boolean().default(true),
  text_config: textConfigSchema('qwen2'),
  vision_config: visionSchema,
});

/**
 * Reads config.json of an InternVL checkpoint (`-hf`), hub or v5 layout. Throws CheckpointError naming the field that is
 * missing, wrong or not supported.
 */
export function readInternVlConfig(json: unknown): InternVlConfig {
  const { text_config: text, vision_config: v, ...c } = readBySchema('config.json', schema, json);
  const scaleFactor = Math.trunc(1 / c.downsample_ratio);
  checkTextConfig(text);
  checkDivides(1, c.downsample_ratio, '1 over downsample_ratio');
  checkDivides(Math.floor(v.image_size / v.patch_size), scaleFactor, 'patches per side times downsample_ratio');
  return {
    imageTokenId: c.image_token_id,
    scaleFactor,
    projectorActivation: c.projector_hidden_act,
    // The text config is asked first: what is above it may be a default that is not the model's.
    tieWordEmbeddings: text.tieWordEmbeddings ?? c.tie_word_embeddings,
    text,
    vision: {
      ...visionConfigOf(v),
      norm: v.norm_type,
      queryKeyValueBias: v.attention_bias,
      queryKeyNorm: v.use_qk_norm,
      positions: v.use_absolute_position_embeddings,
      maskToken: v.use_mask_token,
      finalNorm: !v.use_mean_pooling,
      usedLayers: layersBehind(c.vision_feature_layer, v.num_hidden_layers),
      usesFinalNorm: !v.use_mean_pooling && c.vision_feature_layer === -1,
    },
  };
}
