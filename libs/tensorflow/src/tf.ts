import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/**
 * The one instance of TensorFlow.js in the process: the CommonJS build that the native binding registers itself with.
 * Import it from here only; a second instance would have no backend.
 */
export const tf = load('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');

export type { Tensor } from '@tensorflow/tfjs';
