import type { Trainable } from '@mpa/tensorflow';

/** How a model is fine-tuned. Defaults in {@link defaultTrainOptions}. */
export interface TrainOptions {
  /** Which parameters learn. */
  readonly trainable: Trainable;
  /** Passes over the samples. */
  readonly epochs: number;
  /** Samples per forward pass. */
  readonly batch: number;
  /** Forward passes per optimizer step. */
  readonly accumulate: number;
  /** Peak learning rate. */
  readonly rate: number;
  /** Share of the steps in which the rate rises from zero; then it falls along a cosine. */
  readonly warmup: number;
  readonly weightDecay: number;
  /** Largest L2 norm of the gradient; larger ones are scaled down. */
  readonly maxNorm: number;
  readonly seed: number;
  /** Optimizer steps between saved states. */
  readonly saveEvery: number;
}

/** Settings that suit a small model and some hundreds to thousands of samples. */
export const defaultTrainOptions: Omit<TrainOptions, 'trainable'> = {
  epochs: 3,
  batch: 8,
  accumulate: 1,
  rate: 2e-4,
  warmup: 0.1,
  weightDecay: 0.01,
  maxNorm: 1,
  seed: 0,
  saveEvery: 50,
};
