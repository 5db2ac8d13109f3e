import type { Family } from '../family.js';
import { readSmolVlmConfig } from './config.js';
import type { SmolVlmConfig } from './config.js';
import { head, text, vision } from './modeling.js';
import { smolVlmWeights } from './weights.js';

/** SmolVLM and Idefics3: SigLIP tower, pixel-shuffle connector, Llama decoder. */
export const smolVlm: Family<SmolVlmConfig> = {
  modelTypes: ['smolvlm', 'idefics3'],
  readConfig: readSmolVlmConfig,
  shape: ({ text: t, vision: v, ...config }) => ({
    vocabSize: t.vocabSize,
    hiddenSize: t.hiddenSize,
    textLayers: t.layers,
    heads: t.heads,
    kvHeads: t.kvHeads,
    headDim: t.headDim,
    ropeTheta: t.ropeTheta,
    maxPositions: t.maxPositions,
    imageTokenId: config.imageTokenId,
    tileSize: v.imageSize,
    patchSize: v.patchSize,
    tokensPerTile: (Math.floor(v.imageSize / v.patchSize) / config.scaleFactor) ** 2,
    visionLayers: v.layers,
    visionHeads: v.heads,
    visionHiddenSize: v.hiddenSize,
  }),
  weights: smolVlmWeights,
  redundantWeights: (config) => (config.tieWordEmbeddings ? ['lm_head.weight'] : []),
  vision,
  text,
  head,
  textModules: (config, targets) =>
    Array.from({ length: config.text.layers }, (_, i) => `model.text_model.layers.${i}`).flatMap((layer) =>
      targets.map(
        (target) =>
          `${layer}.${['gate_proj', 'up_proj', 'down_proj'].includes(target) ? 'mlp' : 'self_attn'}.${target}`,
      ),
    ),
  moduleName: (module) => module,
};
