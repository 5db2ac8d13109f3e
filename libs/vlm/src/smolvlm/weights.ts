import { addTextWeights } from '../text-decoder/weights.js';
import { addEncoderWeights } from '../vision-encoder/weights.js';
import { WeightShapes } from '../weight-shapes.js';
import type { SmolVlmConfig } from './config.js';
import { CONNECTOR, decoderOf, VISION } from './modeling.js';

/** Every tensor of a SmolVLM / Idefics3 checkpoint with its shape, under Hugging Face's names. */
export function smolVlmWeights(config: SmolVlmConfig): ReadonlyMap<string, readonly number[]> {
  const { vision: v, text, scaleFactor } = config;
  const shapes = new WeightShapes();
  shapes.patchEmbed(`${VISION}.embeddings.patch_embedding`, v.hiddenSize, v.patchSize, true);
  const positions = Math.floor(v.imageSize / v.patchSize) ** 2;
  shapes.set(`${VISION}.embeddings.position_embedding.weight`, [positions, v.hiddenSize]);
  addEncoderWeights(shapes, v, `${VISION}.encoder`);
  shapes.layerNorm(`${VISION}.post_layernorm`, v.hiddenSize);
  shapes.linear(CONNECTOR, text.hiddenSize, v.hiddenSize * scaleFactor ** 2, false);
  addTextWeights(shapes, decoderOf(config));
  return shapes;
}
