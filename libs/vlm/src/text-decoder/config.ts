import { z } from 'zod';
import { activation, checkDivides, size } from '../config-schema.js';
import type { Activation } from '../layers.js';
import { plainRotary } from '../rotary.js';
import type { RotaryOptions } from '../rotary.js';

/** The validated config of a Llama or Qwen2 decoder, in the names of this code base. */
export interface TextConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly rmsNormEpsilon: number;
  readonly rotary: RotaryOptions;
  readonly maxPositions: number;
  readonly activation: Activation;
  /** Biases of q_proj, k_proj and v_proj, and of o_proj. */
  readonly queryKeyValueBias: boolean;
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  /** What the text config itself says of its head; undefined where it does not. */
  readonly tieWordEmbeddings: boolean | undefined;
}

// Dynamic scaling begins beyond max_position_embeddings, which no sequence here exceeds: up to there it is the default.
// Source: transformers modeling_rope_utils.py, _compute_dynamic_ntk_parameters.
const ropeType = z.enum(['default', 'dynamic']).optional();
const rope = z.object({ rope_theta: z.number().positive().optional(), rope_type: ropeType, type: ropeType });

const shared = {
  max_position_embeddings: size,
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().default(10000),
  rope_scaling: rope.nullish(),
  rope_parameters: rope.nullish(),
  hidden_act: activation.default('silu'),
  head_dim: size.nullish(),
  tie_word_embeddings: z.boolean().optional(),
};

// Defaults are those of transformers' LlamaConfig and Qwen2Config: published configs omit them.
const llama = z.object({
  ...shared,
  model_type: z.literal('llama'),
  vocab_size: size.default(32000),
  hidden_size: size.default(4096),
  intermediate_size: size.default(11008),
  num_hidden_layers: size.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  max_position_embeddings: size.default(2048),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

const qwen2 = z.object({
  ...shared,
  model_type: z.literal('qwen2'),
  vocab_size: size.default(151936),
  hidden_size: size.default(4096),
  intermediate_size: size.default(22016),
  num_hidden_layers: size.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullable().default(32),
  max_position_embeddings: size.default(32768),
  use_sliding_window: z.literal(false).default(false),
});

type TextJson = z.infer<typeof llama> | z.infer<typeof qwen2>;

/** The schema of a `text_config`; one that does not name its model type is of `defaultType`. */
export function textConfigSchema(defaultType: 'llama' | 'qwen2'): z.ZodType<TextConfig> {
  const named = (json: unknown): unknown =>
    typeof json === 'object' && json !== null ? { model_type: defaultType, ...json } : json;
  return z.preprocess(named, z.discriminatedUnion('model_type', [llama, qwen2])).transform(fromJson);
}

function fromJson(json: TextJson): TextConfig {
  const isLlama = json.model_type === 'llama';
  const headDim = json.head_dim ?? json.hidden_size / json.num_attention_heads;
  return {
    vocabSize: json.vocab_size,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    layers: json.num_hidden_layers,
    heads: json.num_attention_heads,
    kvHeads: json.num_key_value_heads ?? json.num_attention_heads,
    headDim,
    rmsNormEpsilon: json.rms_norm_eps,
    rotary: plainRotary(json.rope_parameters?.rope_theta ?? json.rope_theta, headDim),
    maxPositions: json.max_position_embeddings,
    activation: json.hidden_act,
    queryKeyValueBias: !isLlama || json.attention_bias,
    outputBias: isLlama && json.attention_bias,
    mlpBias: isLlama && json.mlp_bias,
    tieWordEmbeddings: json.tie_word_embeddings,
  };
}

/** Throws CheckpointError naming the field if heads do not divide evenly. */
export function checkTextConfig(text: TextConfig): void {
  checkDivides(text.heads, text.kvHeads, 'text_config.num_attention_heads over num_key_value_heads');
  checkDivides(text.headDim, 2, 'text_config.head_dim over 2 (rotary pairs)');
}
