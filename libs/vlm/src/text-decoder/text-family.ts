import type { Family, ModelShape } from '../family.js';
import { decodeText } from './modeling.js';
import type { TextDecoder } from './modeling.js';
import { decoderModules } from './weights.js';

/** What a family with one of these decoders has of {@link Family} by that alone. */
export type TextFamily<C> = Pick<Family<C>, 'text' | 'head' | 'redundantWeights' | 'textModules' | 'moduleName'>;

/** The text half of a family, whose decoder `decoderOf` tells from its config; `inMemory` is what transformers calls the decoder. */
export function textFamily<C>(
  decoderOf: (config: C) => TextDecoder,
  untiedHead: string,
  inMemory = 'model.language_model',
): TextFamily<C> {
  return {
    text: (layers, config, inputs) => decodeText(layers, decoderOf(config), inputs),
    head: (layers, config, hidden) => layers.linear(hidden, decoderOf(config).head),
    redundantWeights: (config) => (decoderOf(config).head === untiedHead ? [] : [`${untiedHead}.weight`]),
    textModules: (config, targets) => decoderModules(decoderOf(config), targets),
    moduleName: (module) => module.replace(/^.*?(?=layers\.)/, `${inMemory}.`),
  };
}

/** Sizes of a model's decoder. */
export function textShape({ config: t, imageTokenId }: TextDecoder): ModelShape {
  return {
    vocabSize: t.vocabSize,
    hiddenSize: t.hiddenSize,
    textLayers: t.layers,
    heads: t.heads,
    kvHeads: t.kvHeads,
    headDim: t.headDim,
    textRotary: t.rotary,
    maxPositions: t.maxPositions,
    imageTokenId,
  };
}
