export type { Agreement, ImagePrompt } from './agreement.js';
export { measureAgreement } from './agreement.js';
export type { GenerateOptions, Generated } from './generate.js';
export type { LoadOptions, Precision } from './load-model.js';
export { loadModel } from './load-model.js';
export { OnnxError } from './onnx-error.js';
export { OnnxModel } from './onnx-model.js';
export type { ImageFeatures, Prompt } from './prompt-batch.js';
export type { Answered, Scored } from './score.js';
