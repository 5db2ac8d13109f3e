export type { ImageTiles } from './encode-images.js';
export type { GenerateOptions, Generated } from './generate.js';
export { loadModel } from './load-model.js';
export type { LoadOptions } from './load-model.js';
export { OnnxError } from './onnx-error.js';
export { OnnxModel } from './onnx-model.js';
export type { ImageFeatures, Prompt } from './prompt-batch.js';
export type { Answered, Scored } from './score.js';
export type { Precision } from './weight-source.js';
