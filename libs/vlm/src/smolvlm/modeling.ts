import type { Layers } from '../layers.js';
import type { TextInputs, VisionInputs } from '../family.js';
import type { SmolVlmConfig } from './config.js';

const VISION = 'model.vision_model';
const TEXT = 'model.text_model';
const CONNECTOR = 'model.connector.modality_projection.proj';

/** SigLIP tower and pixel-shuffle connector. Source: transformers modeling_idefics3.py / modeling_smolvlm.py. */
export function vision<T>(layers: Layers<T>, config: SmolVlmConfig, inputs: VisionInputs<T>): T {
  const { vision: v } = config;
  const embeddings = `${VISION}.embeddings`;
  let x = layers.patchEmbed(inputs.pixels, `${embeddings}.patch_embedding`, { patchSize: v.patchSize });
  x = layers.add(x, layers.embedding(inputs.positionIds, `${embeddings}.position_embedding.weight`));
  for (let i = 0; i < v.layers; i++) x = visionLayer(layers, config, x, i);
  x = layers.layerNorm(x, `${VISION}.post_layernorm`, v.layerNormEpsilon); // [N, P, D]
  x = layers.pixelShuffle(x, config.scaleFactor); // [N, P/s^2, D*s^2]
  return layers.linear(x, CONNECTOR); // [N, P/s^2, hidden]
}

function visionLayer<T>(layers: Layers<T>, config: SmolVlmConfig, x: T, layer: number): T {
  const { vision: v } = config;
  const name = `${VISION}.encoder.layers.${layer}`;
  const bias = { bias: true };
  let h = layers.layerNorm(x, `${name}.layer_norm1`, v.layerNormEpsilon);
  h = layers.attention(
    layers.linear(h, `${name}.self_attn.q_proj`, bias),
    layers.linear(h, `${name}.self_attn.k_proj`, bias),
    layers.linear(h, `${name}.self_attn.v_proj`, bias),
    { heads: v.heads, kvHeads: v.heads, headDim: v.hiddenSize / v.heads, tower: 'vision', layer },
  );
  x = layers.add(x, layers.linear(h, `${name}.self_attn.out_proj`, bias));
  h = layers.layerNorm(x, `${name}.layer_norm2`, v.layerNormEpsilon);
  h = layers.activation(layers.linear(h, `${name}.mlp.fc1`, bias), v.activation);
  return layers.add(x, layers.linear(h, `${name}.mlp.fc2`, bias));
}

/** Llama decoder with grouped-query attention. Source: transformers modeling_llama.py. */
export function text<T>(layers: Layers<T>, config: SmolVlmConfig, inputs: TextInputs<T>): T {
  let x = layers.embedding(inputs.ids, `${TEXT}.embed_tokens.weight`); // [B, T, D]
  if (inputs.imageFeatures !== undefined) {
    x = layers.placeImageFeatures(x, inputs.imageFeatures, inputs.ids, config.imageTokenId);
  }
  for (let i = 0; i < config.text.layers; i++) x = textLayer(layers, config, x, i);
  return layers.rmsNorm(x, `${TEXT}.norm`, config.text.rmsNormEpsilon);
}

function textLayer<T>(layers: Layers<T>, config: SmolVlmConfig, x: T, layer: number): T {
  const { text: t } = config;
  const name = `${TEXT}.layers.${layer}`;
  const attentionBias = { bias: t.attentionBias };
  const mlpBias = { bias: t.mlpBias };
  let h = layers.rmsNorm(x, `${name}.input_layernorm`, t.rmsNormEpsilon);
  h = layers.attention(
    layers.linear(h, `${name}.self_attn.q_proj`, attentionBias),
    layers.linear(h, `${name}.self_attn.k_proj`, attentionBias),
    layers.linear(h, `${name}.self_attn.v_proj`, attentionBias),
    {
      heads: t.heads,
      kvHeads: t.kvHeads,
      headDim: t.headDim,
      tower: 'text',
      layer,
      rotary: { theta: t.ropeTheta },
    },
  );
  x = layers.add(x, layers.linear(h, `${name}.self_attn.o_proj`, attentionBias));
  h = layers.rmsNorm(x, `${name}.post_attention_layernorm`, t.rmsNormEpsilon);
  const gate = layers.activation(layers.linear(h, `${name}.mlp.gate_proj`, mlpBias), t.activation);
  h = layers.multiply(gate, layers.linear(h, `${name}.mlp.up_proj`, mlpBias));
  return layers.add(x, layers.linear(h, `${name}.mlp.down_proj`, mlpBias));
}

/** Logits; a tied head multiplies by the embedding table. */
export function head<T>(layers: Layers<T>, config: SmolVlmConfig, hidden: T): T {
  return layers.linear(hidden, config.tieWordEmbeddings ? `${TEXT}.embed_tokens` : 'lm_head');
}
