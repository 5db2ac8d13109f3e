import type { Family } from '../family.js';
import { textFamily, textShape } from '../text-decoder/text-family.js';
import { readSmolVlmConfig } from './config.js';
import type { SmolVlmConfig } from './config.js';
import { decoderOf, HEAD, TEXT, vision } from './modeling.js';
import { smolVlmWeights } from './weights.js';

/** SmolVLM and Idefics3: SigLIP tower, pixel-shuffle connector, Llama decoder. */
export const smolVlm: Family<SmolVlmConfig> = {
  modelTypes: ['smolvlm', 'idefics3'],
  readConfig: readSmolVlmConfig,
  shape: (config) => ({
    ...textShape(decoderOf(config)),
    tileSize: config.vision.imageSize,
    patchSize: config.vision.patchSize,
    tokensPerTile: (Math.floor(config.vision.imageSize / config.vision.patchSize) / config.scaleFactor) ** 2,
    visionLayers: config.vision.layers,
    visionHeads: config.vision.heads,
    visionHiddenSize: config.vision.hiddenSize,
  }),
  weights: smolVlmWeights,
  weightName: (name) => name,
  vision,
  ...textFamily(decoderOf, HEAD, TEXT),
};
