import { tf } from './tf.js';

/** What TensorFlow.js computes on, by the names that ONNX Runtime has for its execution providers: `cpu`, `cuda`, or `wasm`. */
export function computeProvider(): string {
  if (tf.getBackend() !== 'tensorflow') return tf.getBackend();
  const { isUsingGpuDevice } = tf.backend() as { readonly isUsingGpuDevice?: boolean };
  return isUsingGpuDevice ? 'cuda' : 'cpu';
}
