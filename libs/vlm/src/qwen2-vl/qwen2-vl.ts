import type { Family } from '../family.js';
import { textFamily, textShape } from '../text-decoder/text-family.js';
import { readQwen2VlConfig } from './config.js';
import type { Qwen2VlConfig } from './config.js';
import { decoderOf, HEAD, vision, visionRotary } from './modeling.js';
import { publishedName, qwen2VlWeights } from './weights.js';

/** Qwen2-VL: a tower that reads images of any size, a merger of 2 x 2 patches, and a Qwen2 decoder with M-RoPE. */
export const qwen2Vl: Family<Qwen2VlConfig> = {
  modelTypes: ['qwen2_vl'],
  readConfig: readQwen2VlConfig,
  shape: (config) => ({ ...textShape(decoderOf(config)), visionRotary: visionRotary(config.vision) }),
  visionInputs: ({ vision: { patchSize, temporalPatchSize } }) => ({
    pixels: { type: 'float32', shape: ['images', 'patches', 3 * temporalPatchSize * patchSize ** 2] },
    positionIds: { type: 'int32', shape: ['images', 'patches', 2] },
  }),
  weights: qwen2VlWeights,
  weightName: publishedName,
  vision,
  ...textFamily(decoderOf, HEAD),
};
