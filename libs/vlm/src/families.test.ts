import { describe, expect, it } from 'vitest';
import { countParameters } from './checkpoint.js';
import { CheckpointError } from './checkpoint-error.js';
import { openFamily } from './families.js';

type Json = Record<string, unknown>;

const dynamic = { factor: 2.0, rope_type: 'dynamic', type: 'dynamic' };

/** A published `-hf` config.json of InternVL, whose vision tower is the same in all but the largest. */
const internVl = (text: Json): Json => ({
  architectures: ['InternVLForConditionalGeneration'],
  model_type: 'internvl',
  downsample_ratio: 0.5,
  image_seq_length: 256,
  image_token_id: 151667,
  projector_hidden_act: 'gelu',
  text_config: { max_position_embeddings: 32768, rms_norm_eps: 1e-6, rope_theta: 1e6, rope_scaling: dynamic, hidden_act: 'silu', tie_word_embeddings: false, ...text }, // prettier-ignore
  torch_dtype: 'bfloat16',
  vision_config: {
    architectures: ['InternVLVisionModel'],
    model_type: 'internvl_vision',
    attention_bias: true,
    hidden_act: 'gelu',
    hidden_size: 1024,
    image_size: [448, 448],
    intermediate_size: 4096,
    layer_norm_eps: 1e-6,
    layer_scale_init_value: 0.1,
    norm_type: 'layer_norm',
    num_attention_heads: 16,
    num_channels: 3,
    num_hidden_layers: 24,
    patch_size: [14, 14],
    use_absolute_position_embeddings: true,
    use_mask_token: false,
    use_mean_pooling: true,
    use_qk_norm: false,
  },
  vision_feature_layer: -1,
  vision_feature_select_strategy: 'default',
});

const qwen2 = (hidden: number, layers: number, heads: number, kvHeads: number, intermediate: number): Json => ({
  model_type: 'qwen2',
  hidden_size: hidden,
  intermediate_size: intermediate,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
  sliding_window: 32768,
  use_sliding_window: false,
  vocab_size: 151674,
});

/** InternLM2.5, which is a Llama. */
const internLm = (hidden: number, layers: number, heads: number, intermediate: number): Json => ({
  model_type: 'llama',
  hidden_size: hidden,
  intermediate_size: intermediate,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  vocab_size: 92553,
});

/** llava-1.5-7b-hf: what is not said is Llama's default, which is Vicuna 7B. */
const llava7b: Json = {
  architectures: ['LlavaForConditionalGeneration'],
  ignore_index: -100,
  image_token_index: 32000,
  model_type: 'llava',
  pad_token_id: 32001,
  projector_hidden_act: 'gelu',
  text_config: { architectures: ['LlamaForCausalLM'], max_position_embeddings: 4096, model_type: 'llama', rms_norm_eps: 1e-5, torch_dtype: 'float16', vocab_size: 32064 }, // prettier-ignore
  tie_word_embeddings: false,
  torch_dtype: 'float16',
  vision_config: { hidden_size: 1024, image_size: 336, intermediate_size: 4096, model_type: 'clip_vision_model', num_attention_heads: 16, num_hidden_layers: 24, patch_size: 14, projection_dim: 768, vocab_size: 32000 }, // prettier-ignore
  vision_feature_layer: -2,
  vision_feature_select_strategy: 'default',
};

/** llava-interleave-qwen-0.5b-hf: SigLIP, all patches of the last layer, Qwen1.5 with a tied head. */
const llavaInterleave: Json = {
  model_type: 'llava',
  image_token_index: 151646,
  projector_hidden_act: 'gelu',
  text_config: { model_type: 'qwen2', hidden_size: 1024, intermediate_size: 2816, num_hidden_layers: 24, num_attention_heads: 16, num_key_value_heads: 16, tie_word_embeddings: true, vocab_size: 152000, max_position_embeddings: 32768 }, // prettier-ignore
  vision_config: { model_type: 'siglip_vision_model', hidden_size: 1152, image_size: 384, intermediate_size: 4304, num_attention_heads: 16, num_hidden_layers: 26, patch_size: 14, vision_use_head: false }, // prettier-ignore
  vision_feature_layer: -1,
  vision_feature_select_strategy: 'full',
};

/** TinyLLaVA-3.1B: SigLIP so400m at 384 pixels, all patches of the last layer but one, Phi-2 with its published fields. */
const tinyLlava: Json = {
  model_type: 'llava',
  image_token_index: 50295,
  projector_hidden_act: 'gelu',
  text_config: { model_type: 'phi', attention_dropout: 0, bos_token_id: 50256, embd_pdrop: 0, eos_token_id: 50256, hidden_act: 'gelu_new', hidden_size: 2560, initializer_range: 0.02, intermediate_size: 10240, layer_norm_eps: 1e-5, max_position_embeddings: 2048, num_attention_heads: 32, num_hidden_layers: 32, num_key_value_heads: 32, partial_rotary_factor: 0.4, qk_layernorm: false, resid_pdrop: 0.1, rope_scaling: null, rope_theta: 10000, tie_word_embeddings: false, torch_dtype: 'float16', use_cache: true, vocab_size: 51200 }, // prettier-ignore
  vision_config: { model_type: 'siglip_vision_model', hidden_size: 1152, image_size: 384, intermediate_size: 4304, num_attention_heads: 16, num_hidden_layers: 27, patch_size: 14 }, // prettier-ignore
  vision_feature_layer: -2,
  vision_feature_select_strategy: 'full',
};

/** SmolVLM with the SigLIP base tower at 512 pixels. */
const smolVlm = (
  hidden_size: number,
  num_hidden_layers: number,
  heads: number,
  kvHeads: number,
  intermediate_size: number,
): Json => ({
  model_type: 'idefics3',
  image_token_id: 49190,
  scale_factor: 4,
  text_config: { model_type: 'llama', hidden_size, intermediate_size, num_hidden_layers, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: 64, max_position_embeddings: 8192, rms_norm_eps: 1e-5, rope_theta: 100_000, vocab_size: 49_280, tie_word_embeddings: false }, // prettier-ignore
  vision_config: { hidden_size: 768, image_size: 512, intermediate_size: 3072, num_attention_heads: 12, num_hidden_layers: 12, patch_size: 16 }, // prettier-ignore
});

const smolVlm2b: Json = {
  model_type: 'idefics3',
  image_token_id: 49153,
  scale_factor: 3,
  text_config: { model_type: 'llama', hidden_size: 2048, intermediate_size: 8192, num_hidden_layers: 24, num_attention_heads: 32, num_key_value_heads: 32, head_dim: 64, max_position_embeddings: 16_384, rms_norm_eps: 1e-5, rope_theta: 273_768, vocab_size: 49_155, tie_word_embeddings: false }, // prettier-ignore
  vision_config: { hidden_size: 1152, image_size: 384, intermediate_size: 4304, num_attention_heads: 16, num_hidden_layers: 27, patch_size: 14 }, // prettier-ignore
};

describe('the models of published configurations', () => {
  // Numbers of parameters: of transformers 5.24's models of the same fields on the meta device; for the -hf folders also their
  // published size.
  it.each([
    ['SmolVLM-256M', smolVlm(576, 30, 9, 3, 1536), 256_484_928, 1024],
    ['SmolVLM-500M', smolVlm(960, 32, 15, 5, 2560), 507_482_304, 1024],
    ['SmolVLM-2.2B', smolVlm2b, 2_246_272_880, 729],
    ['InternVL2.5-2B', internVl(internLm(2048, 24, 16, 8192)), 2_205_754_368, 1024],
    ['InternVL2.5-8B', internVl(internLm(4096, 32, 32, 14336)), 8_075_365_376, 1024],
    ['InternVL3-1B', internVl(qwen2(896, 24, 14, 2, 4864)), 938_193_024, 1024],
    ['InternVL3-2B', internVl(qwen2(1536, 28, 12, 2, 8960)), 2_088_957_440, 1024],
    ['InternVL3-8B', internVl(qwen2(3584, 28, 28, 4, 18944)), 7_944_373_760, 1024],
    ['LLaVA-1.5-7B', llava7b, 7_063_427_072, 576],
    ['LLaVA-interleave-Qwen-0.5B', llavaInterleave, 864_031_264, 729],
    ['TinyLLaVA-Phi-2-SigLIP-3.1B', tinyLlava, 3_217_366_080, 729],
  ])('%s has as many parameters as published', (_, json, parameters, patches) => {
    const { family, config } = openFamily(json);
    expect(countParameters({ family, config })).toBe(parameters);
    expect(family.visionInputs(config).positionIds.shape).toEqual(['tiles', patches]);
  });

  it('have a head of their own where the text config says so, whatever stands above it', () => {
    const { family, config } = openFamily({ ...internVl(qwen2(896, 24, 14, 2, 4864)), tie_word_embeddings: true });
    expect(family.weights(config).has('language_model.lm_head.weight')).toBe(true);
    expect(family.redundantWeights(config)).toEqual([]);
  });

  it.each([
    [{ ...llava7b, vision_feature_layer: [-2, -26] }, /vision_feature_layer is -26, but vision_config has 24 layers/],
    [{ ...llava7b, vision_feature_select_strategy: 'half' }, /vision_feature_select_strategy/],
    [{ ...llava7b, text_config: { model_type: 'gemma' } }, /text_config\.model_type/],
    [{ ...llava7b, text_config: { model_type: 'mistral' } }, /text_config\.sliding_window: a window that is shorter/],
    [
      { ...llava7b, text_config: { model_type: 'phi', qk_layernorm: true } },
      /text_config\.qk_layernorm: norms of queries/,
    ],
    [
      { ...llava7b, text_config: { model_type: 'phi', partial_rotary_factor: 0.55 } },
      /partial_rotary_factor: .* pairs/,
    ],
    [{ ...llava7b, text_config: { rope_scaling: { type: 'yarn', factor: 2 } } }, /text_config\.rope_scaling\.type/],
    [{ ...llava7b, vision_config: { model_type: 'pixtral' } }, /vision_config\.model_type/],
    [{ ...internVl(qwen2(896, 24, 14, 2, 4864)), vision_feature_select_strategy: 'full' }, /select_strategy/],
    [{ ...internVl(qwen2(896, 24, 14, 2, 4864)), vision_config: { image_size: [448, 224] } }, /only squares/],
    [{ ...internVl(qwen2(896, 24, 14, 3, 4864)) }, /num_attention_heads over num_key_value_heads: 14 is not/],
    [internVl({ ...qwen2(896, 24, 14, 2, 4864), use_sliding_window: true }), /text_config\.use_sliding_window/],
    [
      { model_type: 'pixtral' },
      /"pixtral" is not supported; supported are smolvlm, idefics3, internvl, llava, qwen2_vl, qwen2_5_vl$/,
    ],
    [{ model_type: 'tiny_llava_phi' }, /convert the folder to LlavaForConditionalGeneration of transformers/],
    [{ model_type: 'tinyllava' }, /convert the folder to LlavaForConditionalGeneration/],
  ] as const)('are refused with the field that is not supported (%#)', (json, message) => {
    expect(() => openFamily(json)).toThrow(CheckpointError);
    expect(() => openFamily(json)).toThrow(message);
  });
});
