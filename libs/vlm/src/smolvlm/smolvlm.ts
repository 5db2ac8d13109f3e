import type { Family } from '../family.js';
import { textFamily, textShape } from '../text-decoder/text-family.js';
import { declareTiles } from '../tiles.js';
import { readSmolVlmConfig } from './config.js';
import type { SmolVlmConfig } from './config.js';
import { decoderOf, HEAD, TEXT, vision } from './modeling.js';
import { smolVlmWeights } from './weights.js';

/** SmolVLM and Idefics3: SigLIP tower, pixel-shuffle connector, Llama decoder. */
export const smolVlm: Family<SmolVlmConfig> = {
  modelTypes: ['smolvlm', 'idefics3'],
  readConfig: readSmolVlmConfig,
  shape: (config) => textShape(decoderOf(config)),
  visionInputs: ({ vision: v }) => declareTiles(v.imageSize, Math.floor(v.imageSize / v.patchSize) ** 2),
  weights: smolVlmWeights,
  weightName: (name) => name,
  vision,
  ...textFamily(decoderOf, HEAD, TEXT),
};
