import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../checkpoint-error.js';
import { countParameters } from '../checkpoint.js';
import { openFamily } from '../families.js';

type Json = Record<string, unknown>;

/** What the published configs have alike. */
const shared = {
  attention_dropout: 0.0,
  bos_token_id: 151643,
  eos_token_id: 151645,
  vision_start_token_id: 151652,
  vision_end_token_id: 151653,
  vision_token_id: 151654,
  image_token_id: 151655,
  video_token_id: 151656,
  hidden_act: 'silu',
  initializer_range: 0.02,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000.0,
  rope_scaling: { type: 'mrope', mrope_section: [16, 24, 24] },
  sliding_window: 32768,
  torch_dtype: 'bfloat16',
  transformers_version: '4.41.2',
  use_cache: true,
  use_sliding_window: false,
};

const patches = { num_heads: 16, in_chans: 3, patch_size: 14, spatial_merge_size: 2, spatial_patch_size: 14, temporal_patch_size: 2 }; // prettier-ignore
const tower = (width: number): Json => ({ depth: 32, embed_dim: 1280, mlp_ratio: 4, hidden_size: width, ...patches });
const windowedTower = (width: number): Json => ({
  depth: 32,
  hidden_act: 'silu',
  hidden_size: 1280,
  intermediate_size: 3420,
  out_hidden_size: width,
  window_size: 112,
  fullatt_block_indexes: [7, 15, 23, 31],
  tokens_per_second: 2,
  ...patches,
});

/** Qwen2-VL-2B-Instruct, with the counts that transformers gives on PyTorch's meta device (as below). */
const small = {
  ...shared,
  architectures: ['Qwen2VLForConditionalGeneration'],
  model_type: 'qwen2_vl',
  hidden_size: 1536,
  intermediate_size: 8960,
  max_position_embeddings: 32768,
  max_window_layers: 28,
  num_attention_heads: 12,
  num_hidden_layers: 28,
  num_key_value_heads: 2,
  tie_word_embeddings: true,
  vocab_size: 151936,
  vision_config: tower(1536),
};

const large = {
  hidden_size: 3584,
  intermediate_size: 18944,
  max_window_layers: 28,
  num_attention_heads: 28,
  num_hidden_layers: 28,
  num_key_value_heads: 4,
  tie_word_embeddings: false,
  vocab_size: 152064,
};

const published: [string, Json, number][] = [
  ['Qwen2-VL-2B-Instruct', small, 2_208_985_600],
  ['Qwen2-VL-7B-Instruct', { ...small, ...large, vision_config: tower(3584) }, 8_291_375_616],
  [
    'Qwen2.5-VL-3B-Instruct',
    {
      ...small,
      architectures: ['Qwen2_5_VLForConditionalGeneration'],
      model_type: 'qwen2_5_vl',
      hidden_size: 2048,
      intermediate_size: 11008,
      max_position_embeddings: 128000,
      max_window_layers: 70,
      num_attention_heads: 16,
      num_hidden_layers: 36,
      vision_config: windowedTower(2048),
    },
    3_754_622_976,
  ],
  [
    'Qwen2.5-VL-7B-Instruct',
    {
      ...small,
      ...large,
      architectures: ['Qwen2_5_VLForConditionalGeneration'],
      model_type: 'qwen2_5_vl',
      max_position_embeddings: 128000,
      vision_config: windowedTower(3584),
    },
    8_292_166_656,
  ],
];

/** The same in the layout of transformers 5. */
function nested({ vision_config: vision, ...flat }: Json): Json {
  const { model_type: type, image_token_id: image, tie_word_embeddings: tied, architectures, ...text } = flat;
  const { rope_theta: theta, rope_scaling: scaling, torch_dtype: dtype, ...rest } = text;
  const inText = {
    ...rest,
    dtype,
    model_type: `${String(type)}_text`,
    layer_types: new Array<string>(rest['num_hidden_layers'] as number).fill('full_attention'),
    rope_parameters: { ...(scaling as Json), rope_theta: theta, rope_type: 'default' },
    sliding_window: null,
  };
  return {
    architectures,
    dtype,
    model_type: type,
    image_token_id: image,
    tie_word_embeddings: tied,
    text_config: inText,
    vision_config: {
      ...(vision as Json),
      in_channels: 3,
      model_type: `${String(type)}_vision`,
      rope_parameters: { rope_theta: 10000.0, rope_type: 'axial' },
    },
  };
}

describe('published configs', () => {
  it.each(published)('%s is read, and has as many parameters as published', (_, json, count) => {
    const flat = openFamily(json);
    expect(countParameters(flat)).toBe(count);
    const { maxPositions, textRotary, visionRotary, headDim } = flat.family.shape(flat.config);
    expect(maxPositions).toBe(json['max_position_embeddings']);
    expect(headDim).toBe(128);
    expect(textRotary.axes).toEqual([16, 24, 24].flatMap((pairs, axis) => new Array<number>(pairs).fill(axis)));
    expect(visionRotary!.frequencies).toHaveLength(40);
    const other = openFamily(nested(json));
    expect(other.config).toEqual(flat.config);
  });

  it('stay as they are where fields are left out that have defaults', () => {
    const left = [
      'rope_scaling',
      'sliding_window',
      'rope_theta',
      'hidden_act',
      'image_token_id',
      'max_position_embeddings',
    ];
    const rest = Object.fromEntries(Object.entries(small).filter(([field]) => !left.includes(field)));
    const { config } = openFamily({ ...rest, vision_config: { hidden_size: 1536 } });
    expect(config).toEqual(openFamily(small).config);
  });
});

describe('what is not supported is refused', () => {
  const windowed = published[2]![1];
  const vision = (json: Json, fields: Json): Json => ({ ...json, vision_config: { ...(json['vision_config'] as Json), ...fields } }); // prettier-ignore
  it.each<[string, Json, RegExp]>([
    ['a sliding window', { ...small, use_sliding_window: true, max_window_layers: 20 }, /use_sliding_window/],
    ['scaled positions', { ...small, rope_scaling: { type: 'yarn', factor: 4 } }, /rope_scaling\.type/],
    ['sections of another width', { ...small, rope_scaling: { type: 'mrope', mrope_section: [16, 24] } }, /mrope_section: 16 \+ 24 is not half of .* 128/], // prettier-ignore
    ['grey images', vision(small, { in_channels: 1 }), /vision_config\.in_channels/],
    ['heads without whole pairs', vision(small, { num_heads: 128 }), /embed_dim over 4 \* num_heads .* 1280 is not a multiple of 512/], // prettier-ignore
    ['a tower of another width', vision(small, { hidden_size: 1024 }), /vision_config\.hidden_size is 1024, but the text's hidden_size is 1536/], // prettier-ignore
    ['a windowed tower of another width', vision(windowed, { out_hidden_size: 1024 }), /out_hidden_size is 1024/],
    ['windows of less than a token', vision(windowed, { window_size: 27 }), /window_size: 27 pixels are less than/],
  ])('%s', (_, json, message) => {
    expect(() => openFamily(json)).toThrow(CheckpointError);
    expect(() => openFamily(json)).toThrow(message);
  });

  it('unless no layer slides', () => {
    expect(openFamily({ ...small, use_sliding_window: true }).config).toEqual(openFamily(small).config);
  });
});
