import { tasks } from '@mpa/answer-metrics';
import { modelConfig } from '@mpa/inference';
import { z } from 'zod';

/** What the annotator's configuration file may hold. */
export const annotatorConfig = z.strictObject({
  /** The L-VLM. */
  model: modelConfig,
  /** Images in one run of the model. */
  batch: z.int().positive().default(8),
  /** Questions written for an image until one can be used; the first is the likeliest, the others are drawn. */
  candidates: z.int().positive().default(4),
  /** Temperature of the drawn ones. */
  temperature: z.number().positive().default(1),
  seed: z.int().nonnegative().default(0),
  /** How often one question may be asked over the corpus. */
  diversity: z
    .strictObject({
      maxShare: z.number().min(0).max(1).default(0.3),
      freely: z.int().positive().default(50),
    })
    .prefault({}),
  /** Prompts by task, in the place of the built-in ones. */
  prompts: z.partialRecord(z.enum(tasks), z.string().min(1)).default({}),
});

/** See {@link annotatorConfig}. */
export type AnnotatorConfig = z.output<typeof annotatorConfig>;
