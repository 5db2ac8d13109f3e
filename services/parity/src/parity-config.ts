import { modelConfig } from '@mpa/inference';
import { z } from 'zod';

/** What the parity service's configuration file may hold. */
export const parityConfig = z.strictObject({
  /** The S-VLM. */
  model: modelConfig,
  /** Annotations in one run of the model. */
  batch: z.int().positive().default(16),
});

/** See {@link parityConfig}. */
export type ParityConfig = z.output<typeof parityConfig>;
