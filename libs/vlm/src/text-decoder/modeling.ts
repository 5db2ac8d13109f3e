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

/**
 * Llama or Qwen2 decoder with grouped-query attention: final hidden states [B, T, D]. Source: transformers modeling_llama.py,
 * modeling_qwen2.py.
 */
export function decodeText<T>(layers: Layers<T>, decoder: TextDecoder, inputs: TextInputs<T>): T {
  const { config, root } = decoder;
  let x = layers.embedding(inputs.ids, `${root}.embed_tokens.weight`); // [B, T, D]
  if (inputs.imageFeatures !== undefined) {
    x = layers.placeImageFeatures(x, inputs.imageFeatures, inputs.ids, decoder.imageTokenId);
  }
  for (let i = 0; i < config.layers; i++) x = layers.block(() => decoderLayer(layers, decoder, x, i));
  return layers.rmsNorm(x, `${root}.norm`, config.rmsNormEpsilon);
}

function decoderLayer<T>(layers: Layers<T>, { config: t, root }: TextDecoder, x: T, layer: number): T {
  const name = `${root}.layers.${layer}`;
  const bias = { bias: t.queryKeyValueBias };
  const mlpBias = { bias: t.mlpBias };
  let h = layers.rmsNorm(x, `${name}.input_layernorm`, t.rmsNormEpsilon);
  h = layers.attention(
    layers.linear(h, `${name}.self_attn.q_proj`, bias),
    layers.linear(h, `${name}.self_attn.k_proj`, bias),
    layers.linear(h, `${name}.self_attn.v_proj`, bias),
    {
      heads: t.heads,
      kvHeads: t.kvHeads,
      headDim: t.headDim,
      tower: 'text',
      layer,
      rotary: t.rotary,
    },
  );
  x = layers.add(x, layers.linear(h, `${name}.self_attn.o_proj`, { bias: t.outputBias }));
  h = layers.rmsNorm(x, `${name}.post_attention_layernorm`, t.rmsNormEpsilon);
  const gate = layers.activation(layers.linear(h, `${name}.mlp.gate_proj`, mlpBias), t.activation);
  h = layers.multiply(gate, layers.linear(h, `${name}.mlp.up_proj`, mlpBias));
  return layers.add(x, layers.linear(h, `${name}.mlp.down_proj`, mlpBias));
}
