import { addTextWeights } from '../text-decoder/weights.js';
import { addEncoderWeights } from '../vision-encoder/weights.js';
import { WeightShapes } from '../weight-shapes.js';
import type { LlavaConfig } from './config.js';
import { decoderOf, PROJECTOR, VISION } from './modeling.js';

/** Every tensor of a LLaVA checkpoint with its shape, under the names of the published ones. */
export function llavaWeights(config: LlavaConfig): ReadonlyMap<string, readonly number[]> {
  const { vision: v, text } = config;
  const shapes = new WeightShapes();
  const isClip = v.kind === 'clip';
  const embeddings = `${VISION}.embeddings`;
  shapes.patchEmbed(`${embeddings}.patch_embedding`, v.hiddenSize, v.patchSize, !isClip);
  if (isClip) shapes.set(`${embeddings}.class_embedding`, [v.hiddenSize]);
  shapes.set(`${embeddings}.position_embedding.weight`, [towerTokens(config), v.hiddenSize]);
  if (isClip) shapes.layerNorm(`${VISION}.pre_layrnorm`, v.hiddenSize);
  addEncoderWeights(shapes, v, `${VISION}.encoder`);
  shapes.layerNorm(`${VISION}.post_layernorm`, v.hiddenSize);
  if (v.poolingHead) addPoolingHead(shapes, v);
  const width = v.hiddenSize * config.featureLayers.length;
  shapes.linear(`${PROJECTOR}.linear_1`, text.hiddenSize, width, config.projectorBias);
  shapes.linear(`${PROJECTOR}.linear_2`, text.hiddenSize, text.hiddenSize, config.projectorBias);
  addTextWeights(shapes, decoderOf(config));
  return shapes;
}

/** Tokens that the tower makes of an image: its patches, and CLIP's class token. */
export function towerTokens({ vision: v }: LlavaConfig): number {
  return Math.floor(v.imageSize / v.patchSize) ** 2 + (v.kind === 'clip' ? 1 : 0);
}

function addPoolingHead(shapes: WeightShapes, v: LlavaConfig['vision']): void {
  const head = `${VISION}.head`;
  shapes.set(`${head}.probe`, [1, 1, v.hiddenSize]);
  shapes.set(`${head}.attention.in_proj_weight`, [3 * v.hiddenSize, v.hiddenSize]);
  shapes.set(`${head}.attention.in_proj_bias`, [3 * v.hiddenSize]);
  shapes.linear(`${head}.attention.out_proj`, v.hiddenSize, v.hiddenSize, true);
  shapes.layerNorm(`${head}.layernorm`, v.hiddenSize);
  shapes.linear(`${head}.mlp.fc1`, v.intermediateSize, v.hiddenSize, true);
  shapes.linear(`${head}.mlp.fc2`, v.hiddenSize, v.intermediateSize, true);
}
