import { z } from 'zod';
import { CheckpointError } from '../checkpoint-error.js';
import { activation, checkDivides, readBySchema, size } from '../config-schema.js';
import type { Activation } from '../layers.js';
import { multimodalRotary } from '../rotary.js';
import { checkTextConfig } from '../text-decoder/config.js';
import type { TextConfig } from '../text-decoder/config.js';

/** The validated config of a Qwen2-VL checkpoint, in the names of this code base. */
export interface Qwen2VlConfig {
  readonly imageTokenId: number;
  readonly tieWordEmbeddings: boolean;
  readonly text: TextConfig;
  readonly vision: Qwen2VisionConfig;
}

/** Sizes of the vision tower, which reads patches of images of any size. */
export interface Qwen2VisionConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  /** Base of the frequencies by which rows and columns turn queries and keys. */
  readonly ropeTheta: number;
  /** Pixels per side of a patch, and frames in it: an image is repeated. */
  readonly patchSize: number;
  readonly temporalPatchSize: number;
  /** Patches per side of the square that becomes one image token. */
  readonly mergeSize: number;
}

const positive = z.number().positive();
const ropeType = z.enum(['default', 'mrope']).optional();
const rope = z.object({
  rope_theta: positive.optional(),
  rope_type: ropeType,
  type: ropeType,
  mrope_section: z.array(z.number().int().nonnegative()).default([16, 24, 24]),
});

// Defaults here and below are those of transformers' configuration_qwen2_vl.py: published configs omit them.
const textSchema = z.object({
  vocab_size: size.default(152064),
  hidden_size: size.default(8192),
  intermediate_size: size.default(29568),
  num_hidden_layers: size.default(80),
  num_attention_heads: size.default(64),
  num_key_value_heads: size.nullable().default(8),
  hidden_act: activation.default('silu'),
  max_position_embeddings: size.default(32768),
  rms_norm_eps: positive.default(1e-5),
  rope_theta: positive.default(1e6),
  rope_scaling: rope.nullish(),
  rope_parameters: rope.nullish(),
  use_sliding_window: z.boolean().nullable().default(false),
  sliding_window: size.nullable().default(4096),
  max_window_layers: z.number().int().nonnegative().nullable().default(80),
  layer_types: z.array(z.string()).nullish(),
  tie_word_embeddings: z.boolean().default(false),
});

/** Fields that the vision towers of Qwen2-VL and Qwen2.5-VL have alike. */
export const visionFields = {
  depth: size.default(32),
  num_heads: size.default(16),
  in_channels: z.literal(3).default(3),
  patch_size: size.default(14),
  temporal_patch_size: size.default(2),
  spatial_merge_size: size.default(2),
  rope_parameters: z
    .object({ rope_theta: positive.default(10000), rope_type: z.literal('axial').optional() })
    .nullish(),
};

const visionSchema = z.object({
  ...visionFields,
  embed_dim: size.default(1280),
  hidden_size: size.default(3584),
  hidden_act: activation.default('quick_gelu'),
  mlp_ratio: positive.default(4),
});

/** Reads config.json of a Qwen2-VL checkpoint, hub (flat) or v5 (nested) layout. Throws CheckpointError naming the field. */
export function readQwen2VlConfig(json: unknown): Qwen2VlConfig {
  const { vision: v, ...config } = readQwenConfig(json, visionSchema);
  const vision: Qwen2VisionConfig = {
    ...visionOf(v),
    hiddenSize: v.embed_dim,
    intermediateSize: Math.trunc(v.embed_dim * v.mlp_ratio),
    activation: v.hidden_act,
  };
  checkVision(vision, 'embed_dim', v.hidden_size, 'hidden_size', config.text);
  return { ...config, vision };
}

/** Reads what Qwen2-VL and Qwen2.5-VL have alike, and the vision config by its own schema. Throws CheckpointError naming the field. */
export function readQwenConfig<V>(
  json: unknown,
  visionConfig: z.ZodType<V>,
): Omit<Qwen2VlConfig, 'vision'> & { readonly vision: V } {
  const schema = z.preprocess(
    nested,
    z.object({
      image_token_id: z.number().int().nonnegative().default(151655),
      tie_word_embeddings: z.boolean().default(false),
      text_config: textSchema,
      vision_config: visionConfig,
    }),
  );
  const { text_config: t, vision_config: vision, ...config } = readBySchema('config.json', schema, json);
  const tieWordEmbeddings = config.tie_word_embeddings || t.tie_word_embeddings;
  return { imageTokenId: config.image_token_id, tieWordEmbeddings, text: textOf(t, tieWordEmbeddings), vision };
}

/** The hub layout has the text's fields beside all others. */
function nested(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  return { text_config: json, vision_config: {}, ...json };
}

function textOf(json: z.infer<typeof textSchema>, tieWordEmbeddings: boolean): TextConfig {
  const scaling = json.rope_scaling ?? json.rope_parameters ?? rope.parse({});
  const headDim = json.hidden_size / json.num_attention_heads;
  const sections = scaling.mrope_section;
  const text: TextConfig = {
    layerKind: 'llama',
    vocabSize: json.vocab_size,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    layers: json.num_hidden_layers,
    heads: json.num_attention_heads,
    kvHeads: json.num_key_value_heads ?? json.num_attention_heads,
    headDim,
    normEpsilon: json.rms_norm_eps,
    rotary: multimodalRotary(scaling.rope_theta ?? json.rope_theta, headDim, sections),
    maxPositions: json.max_position_embeddings,
    activation: json.hidden_act,
    queryKeyValueBias: true,
    outputBias: false,
    mlpBias: false,
    tieWordEmbeddings,
  };
  checkDivides(text.hiddenSize, text.heads, 'hidden_size over num_attention_heads');
  checkTextConfig(text);
  if (sections.reduce((sum, pairs) => sum + pairs, 0) !== headDim / 2) {
    throw new CheckpointError(
      `config.json: mrope_section: ${sections.join(' + ')} is not half of the head's width, ${headDim}`,
    );
  }
  if (slides(json)) {
    throw new CheckpointError('config.json: use_sliding_window: attention in a sliding window is not supported');
  }
  return text;
}

function slides(json: z.infer<typeof textSchema>): boolean {
  if (json.use_sliding_window !== true || json.sliding_window === null) return false;
  return json.layer_types?.includes('sliding_attention') ?? (json.max_window_layers ?? 0) < json.num_hidden_layers;
}

/** What {@link visionFields} say. */
export function visionOf(
  v: z.infer<z.ZodObject<typeof visionFields>>,
): Omit<Qwen2VisionConfig, 'hiddenSize' | 'intermediateSize' | 'activation'> {
  return {
    layers: v.depth,
    heads: v.num_heads,
    ropeTheta: v.rope_parameters?.rope_theta ?? 10000,
    patchSize: v.patch_size,
    temporalPatchSize: v.temporal_patch_size,
    mergeSize: v.spatial_merge_size,
  };
}

/** Throws CheckpointError unless heads have whole rotary pairs of rows and columns, and the tower's output is as wide as the text. */
export function checkVision(
  vision: Qwen2VisionConfig,
  widthField: string,
  output: number,
  outputField: string,
  text: TextConfig,
): void {
  checkDivides(vision.hiddenSize, 4 * vision.heads, `vision_config.${widthField} over 4 * num_heads (rotary pairs)`);
  if (output === text.hiddenSize) return;
  throw new CheckpointError(
    `config.json: vision_config.${outputField} is ${output}, but the text's hidden_size is ${text.hiddenSize}`,
  );
}
