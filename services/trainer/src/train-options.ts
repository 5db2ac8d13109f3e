import type { Trainable } from '@mpa/tensorflow';
import type { CheckpointDescription } from '@mpa/vlm';
import { regularExpression } from '@mpa/service-kit';
import { z } from 'zod';

const positive = z.int().positive();

/** Which parameters learn: all, those whose names match a pattern, or low-rank updates of text modules. */
export const trainableChoice = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('full') }),
  z.strictObject({
    kind: z.literal('named'),
    pattern: regularExpression,
  }),
  z.strictObject({
    kind: z.literal('lora'),
    rank: positive,
    /** The update is scaled by alpha / rank. */
    alpha: z.number().positive(),
    /** Names such as `q_proj`, in every text layer; `all-linear`, as PEFT calls it, are all matrices of the text layers. */
    targets: z.literal('all-linear').or(z.array(z.string().min(1)).min(1)),
  }),
]);

/** How a model is fine-tuned. The defaults suit a small model and some hundreds to thousands of samples. */
export const trainOptions = z.strictObject({
  /** Passes over the samples. */
  epochs: positive.default(3),
  /** Images per forward pass, each with all its questions. */
  batch: positive.default(8),
  /** Forward passes per optimizer step. */
  accumulate: positive.default(1),
  /** Peak learning rate. */
  learningRate: z.number().positive().default(2e-4),
  /** Share of the steps in which the rate rises from zero; then it falls along a cosine. */
  warmup: z.number().min(0).max(1).default(0.1),
  weightDecay: z.number().min(0).default(0.01),
  /** Largest L2 norm of the gradient; larger ones are scaled down. */
  maxGradientNorm: z.number().positive().default(1),
  /** Coefficients of the loss's terms beside the answer's cross-entropy; 0 leaves a term out. */
  confidence: z.number().min(0).default(0),
  attention: z.number().min(0).default(0),
  reasoning: z.number().min(0).default(0),
  /** A sample weighs `1 + discrepancyWeight * its mean discrepancy`, scaled to a mean of 1. */
  discrepancyWeight: z.number().min(0).default(0),
  seed: z.int().min(0).max(0xffff_ffff).default(0),
  /** Optimizer steps between saved states. */
  saveEvery: positive.default(50),
  trainable: trainableChoice.default({ kind: 'lora', rank: 16, alpha: 32, targets: 'all-linear' }),
});

/** Validated {@link trainOptions}. */
export type TrainOptions = z.output<typeof trainOptions>;

/** The parameters of a checkpoint that a choice means. */
export function trainableOf(
  choice: TrainOptions['trainable'],
  { family, config }: Pick<CheckpointDescription, 'family' | 'config'>,
): Trainable {
  switch (choice.kind) {
    case 'full':
      return { kind: 'full' };
    case 'named':
      return { kind: 'named', pattern: new RegExp(choice.pattern) };
    case 'lora': {
      const { rank, alpha, targets } = choice;
      const modules = family.textModules(config, targets === 'all-linear' ? undefined : targets);
      return { kind: 'lora', rank, alpha, modules };
    }
  }
}
