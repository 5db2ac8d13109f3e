import { modelConfig } from '@mpa/inference';
import { imageAccess } from '@mpa/service-kit';
import { z } from 'zod';

/** What the parity service's configuration file may hold. */
export const parityConfig = z.strictObject({
  /** The S-VLM. */
  model: modelConfig,
  images: imageAccess,
  /** Annotations in one run of the model. */
  batch: z.int().positive().default(16),
  /**
   * Beyond the parity rule, selects what the S-VLM answers right, but for other reasons: where confidence, attention and reasoning
   * path differ by more than `above` on average. `false` keeps to the rule.
   */
  selectAgreeing: z.union([z.literal(false), z.strictObject({ above: z.number().min(0).max(1) })]).default(false),
  /**
   * Beyond the parity rule, selects this share of what the S-VLM answers right as well, so that what it learns does not make it
   * forget. Which samples follows from their ids.
   */
  rehearse: z.number().min(0).max(1).default(0),
});

/** See {@link parityConfig}. */
export type ParityConfig = z.output<typeof parityConfig>;
