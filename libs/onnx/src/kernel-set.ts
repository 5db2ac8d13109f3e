/**
 * Whose kernels the nodes of a graph have. A node for which a session's first provider has none runs on the CPU, and what it reads
 * and writes is copied there and back every time.
 * - `cpu`: GroupQueryAttention and products of 8-bit rows, which in float32 only the CPU provider of ONNX Runtime has.
 * - `cuda`: what the CUDA provider has (`docs/OperatorKernels.md` of ONNX Runtime), and with it the CPU provider.
 */
export type KernelSet = 'cpu' | 'cuda';

/** The set for a session with these providers of ONNX Runtime, in order of preference. */
export function kernelSet(executionProviders: readonly string[]): KernelSet {
  return executionProviders[0] === 'cpu' ? 'cpu' : 'cuda';
}
