import type { Layers } from '../layers.js';
import type { TextDecoder } from '../text-decoder/modeling.js';
import { encoderLayer } from '../vision-encoder/modeling.js';
import type { VisionInputs } from '../vision-inputs.js';
import type { LlavaConfig } from './config.js';

/** Where the vision tower's tensors are, and the projector's. */
export const VISION = 'vision_tower.vision_model';
export const PROJECTOR = 'multi_modal_projector';
/** The head where it is not tied. */
export const HEAD = 'language_model.lm_head';
const TEXT = 'language_model.model';

/** The Llama or Qwen2 decoder of a model. */
export function decoderOf({ text, tieWordEmbeddings, imageTokenId }: LlavaConfig): TextDecoder {
  return { config: text, root: TEXT, head: tieWordEmbeddings ? `${TEXT}.embed_tokens` : HEAD, imageTokenId };
}

/** CLIP or SigLIP tower, of which hidden states are chosen, and an MLP projector. Source: transformers modeling_llava.py. */
export function vision<T>(layers: Layers<T>, config: LlavaConfig, inputs: VisionInputs<T>): T {
  const { vision: v, featureLayers } = config;
  const states = [embedded(layers, v, inputs.pixels)];
  for (let i = 0; i < Math.max(...featureLayers); i++) {
    states.push(layers.block(() => encoderLayer(layers, v, states[i]!, `${VISION}.encoder.layers.${i}`, i)));
  }
  const chosen = featureLayers.map((layer) => (config.dropsFirst ? layers.dropFirst(states[layer]!) : states[layer]!));
  let x = chosen.length === 1 ? chosen[0]! : layers.concat(chosen); // [N, F, D * chosen]
  const bias = { bias: config.projectorBias };
  x = layers.activation(layers.linear(x, `${PROJECTOR}.linear_1`, bias), config.projectorActivation);
  return layers.linear(x, `${PROJECTOR}.linear_2`, bias); // [N, F, hidden]
}

/** Patches at their positions; CLIP's begin with a class token and are normalised. Source: modeling_clip.py, modeling_siglip.py. */
function embedded<T>(layers: Layers<T>, v: LlavaConfig['vision'], pixels: T): T {
  const isClip = v.kind === 'clip';
  const name = `${VISION}.embeddings`;
  let x = layers.patchEmbed(pixels, `${name}.patch_embedding`, { patchSize: v.patchSize, bias: !isClip });
  if (isClip) x = layers.prependToken(x, `${name}.class_embedding`);
  x = layers.addWeight(x, `${name}.position_embedding.weight`);
  return isClip ? layers.layerNorm(x, `${VISION}.pre_layrnorm`, v.layerNormEpsilon) : x;
}
