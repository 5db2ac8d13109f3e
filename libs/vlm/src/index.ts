export { CheckpointError } from './checkpoint-error.js';
export type { Family, ModelShape, TextInputs, VisionInputs } from './family.js';
export type { Activation, AttentionOptions, Layers, RotaryOptions } from './layers.js';
export type { SmolVlmConfig } from './smolvlm/config.js';
export { smolVlm } from './smolvlm/smolvlm.js';
export type { Dtype, Weights } from './weights.js';
