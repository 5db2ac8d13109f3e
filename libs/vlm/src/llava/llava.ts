import type { Family } from '../family.js';
import { publishedName } from '../published-name.js';
import { textFamily, textShape } from '../text-decoder/text-family.js';
import { declareTiles } from '../tiles.js';
import { readLlavaConfig } from './config.js';
import type { LlavaConfig } from './config.js';
import { decoderOf, HEAD, vision } from './modeling.js';
import { llavaWeights } from './weights.js';

/** LLaVA 1.5 and its kin: CLIP or SigLIP tower, MLP projector, Llama (Vicuna) or Qwen2 decoder. */
export const llava: Family<LlavaConfig> = {
  modelTypes: ['llava'],
  readConfig: readLlavaConfig,
  shape: (config) => textShape(decoderOf(config)),
  visionInputs: ({ vision: v }) => declareTiles(v.imageSize, Math.floor(v.imageSize / v.patchSize) ** 2),
  weights: llavaWeights,
  // transformers 5 writes the tower without the `vision_model` that wraps it in published checkpoints.
  weightName: (name) => publishedName(name).replace(/^vision_tower\.(?!vision_model\.)/, 'vision_tower.vision_model.'),
  vision,
  ...textFamily(decoderOf, HEAD),
};
