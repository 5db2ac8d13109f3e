import type { Family } from '../family.js';
import { publishedName } from '../published-name.js';
import { textFamily, textShape } from '../text-decoder/text-family.js';
import { declareTiles } from '../tiles.js';
import { readInternVlConfig } from './config.js';
import type { InternVlConfig } from './config.js';
import { decoderOf, HEAD, vision } from './modeling.js';
import { internVlWeights } from './weights.js';

/** InternVL 2.5 and 3 as `transformers` has them: InternViT tower, pixel shuffle, MLP projector, Qwen2 or Llama decoder. */
export const internVl: Family<InternVlConfig> = {
  modelTypes: ['internvl'],
  readConfig: readInternVlConfig,
  shape: (config) => textShape(decoderOf(config)),
  visionInputs: ({ vision: v }) => declareTiles(v.imageSize, Math.floor(v.imageSize / v.patchSize) ** 2),
  weights: internVlWeights,
  weightName: publishedName,
  vision,
  ...textFamily(decoderOf, HEAD),
};
