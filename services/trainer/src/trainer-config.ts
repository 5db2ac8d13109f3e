import { imageAccess } from '@mpa/service-kit';
import { z } from 'zod';
import { trainOptions } from './train-options.js';

/** Configuration of the trainer, beside the server's keys. */
export const trainerConfig = z.strictObject({
  /** What requests leave out of their options. */
  training: trainOptions.prefault({}),
  images: imageAccess,
  /** Insists on a TensorFlow backend; by default what set-up chose. */
  backend: z.enum(['native', 'wasm']).optional(),
  /** Insists on a GPU; by default the CPU will do where TensorFlow finds none. */
  device: z.literal('cuda').optional(),
  /** Memory for decoded images, and again for their features, in megabytes. */
  cacheMegabytes: z.number().min(0).default(512),
});

/** Validated {@link trainerConfig}. */
export type TrainerConfig = z.output<typeof trainerConfig>;
