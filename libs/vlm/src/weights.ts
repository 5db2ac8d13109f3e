/** Element types of safetensors files that this project reads and writes. */
export type Dtype = 'F32' | 'F16' | 'BF16';

/** The weights of an open checkpoint, each read from disk when asked for. */
export interface Weights {
  /** Names of all tensors, in file order. */
  readonly names: readonly string[];
  /** Shape of a tensor. Throws CheckpointError for an unknown name. */
  shape(name: string): readonly number[];
  /** Element type in the file. Throws CheckpointError for an unknown name. */
  dtype(name: string): Dtype;
  /** Values, widened to float32, row-major. Throws CheckpointError for an unknown name or a file that ends early. */
  read(name: string): Float32Array;
}
