import { z } from 'zod';
import type { Activation } from '../layers.js';
import { CheckpointError } from '../checkpoint-error.js';

/** The validated config of a SmolVLM / Idefics3 checkpoint, in the names of this code base. */
export interface SmolVlmConfig {
  readonly imageTokenId: number;
  readonly scaleFactor: number;
  readonly tieWordEmbeddings: boolean;
  readonly text: {
    readonly vocabSize: number;
    readonly hiddenSize: number;
    readonly intermediateSize: number;
    readonly layers: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    readonly rmsNormEpsilon: number;
    readonly ropeTheta: number;
    readonly maxPositions: number;
    readonly activation: Activation;
    readonly attentionBias: boolean;
    readonly mlpBias: boolean;
  };
  readonly vision: {
    readonly hiddenSize: number;
    readonly intermediateSize: number;
    readonly layers: number;
    readonly heads: number;
    readonly imageSize: number;
    readonly patchSize: number;
    readonly layerNormEpsilon: number;
    readonly activation: Activation;
  };
}

const activation = z.enum(['gelu', 'gelu_pytorch_tanh', 'quick_gelu', 'silu', 'relu']);
const size = z.number().int().positive();
const defaultRope = z.object({
  rope_theta: z.number().positive().optional(),
  rope_type: z.literal('default').optional(),
});

// Defaults are those of transformers' LlamaConfig, SmolVLMVisionConfig and SmolVLMConfig: published configs omit them.
const textSchema = z.object({
  model_type: z.literal('llama').default('llama'),
  vocab_size: size.default(32000),
  hidden_size: size.default(4096),
  intermediate_size: size.default(11008),
  num_hidden_layers: size.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  max_position_embeddings: size.default(2048),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().default(10000),
  rope_scaling: defaultRope.nullish(),
  rope_parameters: defaultRope.nullish(),
  hidden_act: activation.default('silu'),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().optional(),
});

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
  text_config: textSchema,
  vision_config: visionSchema,
});

/**
 * Reads config.json of a SmolVLM or Idefics3 checkpoint, hub or v5 layout. Throws {@link CheckpointError} naming the
 * field that is missing, wrong or not supported.
 */
export function readSmolVlmConfig(json: unknown): SmolVlmConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new CheckpointError(`config.json: ${issue.path.join('.')}: ${issue.message}`);
  }
  const { text_config: t, vision_config: v, ...c } = parsed.data;
  const config: SmolVlmConfig = {
    imageTokenId: c.image_token_id,
    scaleFactor: c.scale_factor,
    tieWordEmbeddings: c.tie_word_embeddings,
    text: {
      vocabSize: t.vocab_size,
      hiddenSize: t.hidden_size,
      intermediateSize: t.intermediate_size,
      layers: t.num_hidden_layers,
      heads: t.num_attention_heads,
      kvHeads: t.num_key_value_heads ?? t.num_attention_heads,
      headDim: t.head_dim ?? t.hidden_size / t.num_attention_heads,
      rmsNormEpsilon: t.rms_norm_eps,
      ropeTheta: t.rope_parameters?.rope_theta ?? t.rope_theta,
      maxPositions: t.max_position_embeddings,
      activation: t.hidden_act,
      attentionBias: t.attention_bias,
      mlpBias: t.mlp_bias,
    },
    vision: {
      hiddenSize: v.hidden_size,
      intermediateSize: v.intermediate_size,
      layers: v.num_hidden_layers,
      heads: v.num_attention_heads,
      imageSize: v.image_size,
      patchSize: v.patch_size,
      layerNormEpsilon: v.layer_norm_eps,
      activation: v.hidden_act,
    },
  };
  checkDivisions(config);
  return config;
}

function checkDivisions({ text, vision, scaleFactor }: SmolVlmConfig): void {
  const divides = (whole: number, part: number, what: string): void => {
    if (!Number.isInteger(whole / part)) {
      throw new CheckpointError(`config.json: ${what}: ${whole} is not a multiple of ${part}`);
    }
  };
  divides(text.heads, text.kvHeads, 'text_config.num_attention_heads over num_key_value_heads');
  divides(text.headDim, 2, 'text_config.head_dim over 2 (rotary pairs)');
  divides(vision.hiddenSize, vision.heads, 'vision_config.hidden_size over num_attention_heads');
  divides(Math.floor(vision.imageSize / vision.patchSize), scaleFactor, 'patches per side over scale_factor');
}
