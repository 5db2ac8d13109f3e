import type { Tensor } from './tf.js';

/** What an optimizer needs to go on: the number of steps, and the running sums that it keeps of each parameter. */
export interface OptimizerState {
  readonly steps: number;
  readonly sums: Iterable<readonly [name: string, sums: readonly Float32Array[]]>;
}

/** Updates parameters from their gradients. */
export interface Optimizer {
  /** Steps taken so far. */
  readonly steps: number;
  /** One update of every parameter that has a gradient, at learning rate `rate`. Frees nothing of `gradients`. */
  step(gradients: ReadonlyMap<string, Tensor>, rate: number): void;
  /** All that {@link restore} needs. */
  state(): OptimizerState;
  /** Goes on from a saved {@link state}. */
  restore(state: OptimizerState): void;
  /** Frees what it keeps. */
  dispose(): void;
}
