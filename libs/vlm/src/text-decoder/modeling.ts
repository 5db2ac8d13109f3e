import type { TextInputs } from '../family.js';
import type { Layers } from '../layers.js';
import type { TextConfig } from './config.js';

/** What of a decoder differs from family to family. */
export interface TextDecoder {
  readonly config: TextConfig;
  /** Prefix of the tensors' names, such as `model.text_model`. */
  readonly root: string;
  /** Module of the head; that of the embedding table if they are tied. */
  readonly head: string;
  readonly imageTokenId: number;
}

/** A decoder with grouped-query attention: final hidden states [B, T, D]. */
export function decodeText<T>(layers: Layers<T>, decoder: TextDecoder, inputs: TextInputs<T>): T {
  const { config, root } = decoder;
  let x = layers.embedding(inputs.ids, `${root}.embed_tokens.weight`); // [B, T, D]
  if (inputs.imageFeatures !== undefined) {
    x = layers.placeImageFeatures(x, inputs.imageFeatures, inputs.ids, decoder.imageTokenId);
  }
  const isPhi = config.layerKind === 'phi';
  const decoderLayer = isPhi ? phiLayer : llamaLayer;
  for (let i = 0; i < config.layers; i++) x = layers.block(() => decoderLayer(layers, decoder, x, i));
  return isPhi
    ? layers.layerNorm(x, `${root}.final_layernorm`, config.normEpsilon)
    : layers.rmsNorm(x, `${root}.norm`, config.normEpsilon);
}

/** Attention, then a gated MLP, each after an RMS norm. Source: transformers modeling_llama.py, modeling_mistral.py, modeling_qwen2.py. */
function llamaLayer<T>(layers: Layers<T>, { config: t, root }: TextDecoder, x: T, layer: number): T {
  const name = `${root}.layers.${layer}`;
  const mlpBias = { bias: t.mlpBias };
  let h = attention(layers, t, layers.rmsNorm(x, `${name}.input_layernorm`, t.normEpsilon), name, layer);
  x = layers.add(x, layers.linear(h, `${name}.self_attn.o_proj`, { bias: t.outputBias }));
  h = layers.rmsNorm(x, `${name}.post_attention_layernorm`, t.normEpsilon);
  const gate = layers.activation(layers.linear(h, `${name}.mlp.gate_proj`, mlpBias), t.activation);
  h = layers.multiply(gate, layers.linear(h, `${name}.mlp.up_proj`, mlpBias));
  return layers.add(x, layers.linear(h, `${name}.mlp.down_proj`, mlpBias));
}

/** Attention and an MLP side by side, after one layer norm. Source: transformers modeling_phi.py. */
function phiLayer<T>(layers: Layers<T>, { config: t, root }: TextDecoder, x: T, layer: number): T {
  const name = `${root}.layers.${layer}`;
  const mlpBias = { bias: t.mlpBias };
  const normed = layers.layerNorm(x, `${name}.input_layernorm`, t.normEpsilon);
  const attended = attention(layers, t, normed, name, layer);
  const a = layers.linear(attended, `${name}.self_attn.dense`, { bias: t.outputBias });
  const inner = layers.activation(layers.linear(normed, `${name}.mlp.fc1`, mlpBias), t.activation);
  return layers.add(layers.add(a, layers.linear(inner, `${name}.mlp.fc2`, mlpBias)), x);
}

/** Attention over `h`, before its output projection. */
function attention<T>(layers: Layers<T>, t: TextConfig, h: T, name: string, layer: number): T {
  const { heads, kvHeads, headDim, rotary } = t;
  const bias = { bias: t.queryKeyValueBias };
  return layers.attention(
    layers.linear(h, `${name}.self_attn.q_proj`, bias),
    layers.linear(h, `${name}.self_attn.k_proj`, bias),
    layers.linear(h, `${name}.self_attn.v_proj`, bias),
    { heads, kvHeads, headDim, tower: 'text', layer, rotary },
  );
}
