import type { Layers } from '../layers.js';
import type { VisionConfig } from './config.js';

/**
 * One layer of the encoder that CLIP, SigLIP and Idefics3 have alike, its tensors under `name`: attention over all patches, then an
 * MLP, each after a layer norm. Source: transformers modeling_clip.py, modeling_siglip.py.
 */
export function encoderLayer<T>(layers: Layers<T>, config: VisionConfig, x: T, name: string, layer: number): T {
  const { heads, hiddenSize, layerNormEpsilon, activation } = config;
  const bias = { bias: true };
  let h = layers.layerNorm(x, `${name}.layer_norm1`, layerNormEpsilon);
  h = layers.attention(
    layers.linear(h, `${name}.self_attn.q_proj`, bias),
    layers.linear(h, `${name}.self_attn.k_proj`, bias),
    layers.linear(h, `${name}.self_attn.v_proj`, bias),
    { heads, kvHeads: heads, headDim: hiddenSize / heads, tower: 'vision', layer },
  );
  x = layers.add(x, layers.linear(h, `${name}.self_attn.out_proj`, bias));
  h = layers.layerNorm(x, `${name}.layer_norm2`, layerNormEpsilon);
  h = layers.activation(layers.linear(h, `${name}.mlp.fc1`, bias), activation);
  return layers.add(x, layers.linear(h, `${name}.mlp.fc2`, bias));
}
