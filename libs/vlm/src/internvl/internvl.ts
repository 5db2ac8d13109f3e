import type { Family } from '../family.js';
import { publishedName } from '../published-name.js';
import { textFamily, textShape } from '../text-decoder/text-family.js';
import { readInternVlConfig } from './config.js';
import type { InternVlConfig } from './config.js';
import { decoderOf, HEAD, vision } from './modeling.js';
import { internVlWeights } from './weights.js';

/** InternVL 2.5 and 3 as `transformers` has them: InternViT tower, pixel shuffle, MLP projector, Qwen2 or Llama decoder. */
export const internVl: Family<InternVlConfig> = {
  modelTypes: ['internvl'],
  readConfig: readInternVlConfig,
  shape: (config) => ({
    ...textShape(decoderOf(config)),
    tileSize: config.vision.imageSize,
    patchSize: config.vision.patchSize,
    tokensPerTile: (Math.floor(config.vision.imageSize / config.vision.patchSize) / config.scaleFactor) ** 2,
    visionLayers: config.vision.layers,
    visionHeads: config.vision.heads,
    visionHiddenSize: config.vision.hiddenSize,
  }),
  weights: internVlWeights,
  weightName: publishedName,
  vision,
  ...textFamily(decoderOf, HEAD),
};
