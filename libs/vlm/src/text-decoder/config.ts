import { z } from 'zod';
import { activation, checkDivides, size } from '../config-schema.js';
import type { Activation } from '../layers.js';
import { plainRotary } from '../rotary.js';
import type { RotaryOptions } from '../rotary.js';

/** The validated config of a Llama, Mistral, Qwen2 or Phi decoder, in the names of this code base. */
export interface TextConfig {
  /** How its layers are built; those of Mistral and Qwen2 are Llama's. */
  readonly layerKind: 'llama' | 'phi';
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly normEpsilon: number;
  readonly rotary: RotaryOptions;
  readonly maxPositions: number;
  readonly activation: Activation;
  /** Biases of q_proj, k_proj and v_proj, and of the projection after attention. */
  readonly queryKeyValueBias: boolean;
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  /** What the text config itself says of its head; undefined where it does not. */
  readonly tieWordEmbeddings: boolean | undefined;
}

// Dynamic scaling begins beyond max_position_embeddings, which no sequence here exceeds: up to there it is the default.
// Source: transformers modeling_rope_utils.py, _compute_dynamic_ntk_parameters.
const ropeType = z.enum(['default', 'dynamic']).optional();
const share = z.number().positive().max(1);
const rope = z.object({
  rope_theta: z.number().positive().optional(),
  partial_rotary_factor: share.optional(),
  rope_type: ropeType,
  type: ropeType,
});

const shared = {
  num_key_value_heads: size.nullish(),
  rope_theta: z.number().positive().default(10000),
  rope_scaling: rope.nullish(),
  rope_parameters: rope.nullish(),
  head_dim: size.nullish(),
  tie_word_embeddings: z.boolean().optional(),
};

const gated = { ...shared, rms_norm_eps: z.number().positive().default(1e-6), hidden_act: activation.default('silu') };

// Defaults are those of transformers' LlamaConfig, MistralConfig, Qwen2Config and PhiConfig: published configs omit them.
const llama = z.object({
  ...gated,
  model_type: z.literal('llama'),
  vocab_size: size.default(32000),
  hidden_size: size.default(4096),
  intermediate_size: size.default(11008),
  num_hidden_layers: size.default(32),
  num_attention_heads: size.default(32),
  max_position_embeddings: size.default(2048),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

const mistral = z
  .object({
    ...gated,
    model_type: z.literal('mistral'),
    vocab_size: size.default(32000),
    hidden_size: size.default(4096),
    intermediate_size: size.default(14336),
    num_hidden_layers: size.default(32),
    num_attention_heads: size.default(32),
    num_key_value_heads: size.nullable().default(8),
    max_position_embeddings: size.default(131072),
    sliding_window: size.nullable().default(4096),
  })
  .refine((json) => (json.sliding_window ?? Infinity) >= json.max_position_embeddings, {
    path: ['sliding_window'],
    error: 'a window that is shorter than max_position_embeddings is not supported',
  });

const qwen2 = z.object({
  ...gated,
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

const phi = z.object({
  ...shared,
  model_type: z.literal('phi'),
  vocab_size: size.default(51200),
  hidden_size: size.default(2048),
  intermediate_size: size.default(8192),
  num_hidden_layers: size.default(24),
  num_attention_heads: size.default(32),
  max_position_embeddings: size.default(2048),
  layer_norm_eps: z.number().positive().default(1e-5),
  hidden_act: activation.default('gelu_pytorch_tanh'),
  partial_rotary_factor: share.default(0.5),
  qk_layernorm: z.literal(false, { error: 'norms of queries and keys are not supported' }).default(false),
});

type PhiJson = z.infer<typeof phi>;
const phiInPairs = phi.refine((json) => rotaryWidth(json) > 0 && rotaryWidth(json) % 2 === 0, {
  path: ['partial_rotary_factor'],
  error: 'this share of a head is not a whole number of rotary pairs',
});

type GatedJson = z.infer<typeof llama> | z.infer<typeof mistral> | z.infer<typeof qwen2>;
type TextJson = GatedJson | PhiJson;

/** The schema of a `text_config`; one that does not name its model type is of `defaultType`. */
export function textConfigSchema(defaultType: 'llama' | 'qwen2'): z.ZodType<TextConfig> {
  const named = (json: unknown): unknown =>
    typeof json === 'object' && json !== null ? { model_type: defaultType, ...json } : json;
  return z
    .preprocess(named, z.discriminatedUnion('model_type', [llama, mistral, qwen2, phiInPairs]))
    .transform((json) => (json.model_type === 'phi' ? fromPhi(json) : fromGated(json)));
}

function fromGated(json: GatedJson): TextConfig {
  const biased = json.model_type === 'llama' && json.attention_bias;
  return {
    ...sizesOf(json),
    layerKind: 'llama',
    normEpsilon: json.rms_norm_eps,
    rotary: plainRotary(thetaOf(json), headDimOf(json)),
    queryKeyValueBias: biased || json.model_type === 'qwen2',
    outputBias: biased,
    mlpBias: json.model_type === 'llama' && json.mlp_bias,
  };
}

function fromPhi(json: PhiJson): TextConfig {
  return {
    ...sizesOf(json),
    layerKind: 'phi',
    normEpsilon: json.layer_norm_eps,
    rotary: plainRotary(thetaOf(json), rotaryWidth(json)),
    queryKeyValueBias: true,
    outputBias: true,
    mlpBias: true,
  };
}

function sizesOf(json: TextJson) {
  return {
    vocabSize: json.vocab_size,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    layers: json.num_hidden_layers,
    heads: json.num_attention_heads,
    kvHeads: json.num_key_value_heads ?? json.num_attention_heads,
    headDim: headDimOf(json),
    maxPositions: json.max_position_embeddings,
    activation: json.hidden_act,
    tieWordEmbeddings: json.tie_word_embeddings,
  };
}

function headDimOf(json: Pick<TextJson, 'head_dim' | 'hidden_size' | 'num_attention_heads'>): number {
  return json.head_dim ?? json.hidden_size / json.num_attention_heads;
}

// What stands in rope_scaling or rope_parameters goes before what stands beside. Source: modeling_rope_utils.py, convert_rope_params_to_dict.
function thetaOf(json: TextJson): number {
  return (json.rope_scaling ?? json.rope_parameters)?.rope_theta ?? json.rope_theta;
}

/** Channels of a head that are turned. */
function rotaryWidth(json: PhiJson): number {
  const scaling = json.rope_scaling ?? json.rope_parameters;
  return Math.trunc(headDimOf(json) * (scaling?.partial_rotary_factor ?? json.partial_rotary_factor));
}

/** Throws CheckpointError naming the field if heads do not divide evenly. */
export function checkTextConfig(text: TextConfig): void {
  checkDivides(text.heads, text.kvHeads, 'text_config.num_attention_heads over num_key_value_heads');
  checkDivides(text.headDim, 2, 'text_config.head_dim over 2 (rotary pairs)');
}
