import type { Layers } from '../layers.js';
import type { TextDecoder } from '../text-decoder/modeling.js';
import { encoderLayer } from '../vision-encoder/modeling.js';
import type { VisionInputs } from '../vision-inputs.js';
import type { SmolVlmConfig } from './config.js';

/** Where the vision tower's tensors are, and the connector's. */
export const VISION = 'model.vision_model';
export const CONNECTOR = 'model.connector.modality_projection.proj';
/** The head where it is not tied. */
export const HEAD = 'lm_head';
/** The decoder. */
export const TEXT = 'model.text_model';

/** The Llama decoder of a model. */
export function decoderOf({ text, tieWordEmbeddings, imageTokenId }: SmolVlmConfig): TextDecoder {
  return { config: text, root: TEXT, head: tieWordEmbeddings ? `${TEXT}.embed_tokens` : HEAD, imageTokenId };
}

/** SigLIP tower and pixel-shuffle connector. Source: transformers modeling_idefics3.py / modeling_smolvlm.py. */
export function vision<T>(layers: Layers<T>, config: SmolVlmConfig, inputs: VisionInputs<T>): T {
  const { vision: v } = config;
  const embeddings = `${VISION}.embeddings`;
  let x = layers.patchEmbed(inputs.pixels, `${embeddings}.patch_embedding`, { patchSize: v.patchSize, bias: true });
  x = layers.add(x, layers.embedding(inputs.positionIds, `${embeddings}.position_embedding.weight`));
  for (let i = 0; i < v.layers; i++) {
    x = layers.block(() => encoderLayer(layers, v, x, `${VISION}.encoder.layers.${i}`, i));
  }
  x = layers.layerNorm(x, `${VISION}.post_layernorm`, v.layerNormEpsilon); // [N, P, D]
  x = layers.pixelShuffle(x, config.scaleFactor); // [N, P/s^2, D*s^2]
  return layers.linear(x, CONNECTOR); // [N, P/s^2, hidden]
}
