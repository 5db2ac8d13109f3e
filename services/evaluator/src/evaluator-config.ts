import { modelConfig } from '@mpa/inference';
import { z } from 'zod';

/** What the evaluator's configuration file may hold. */
export const evaluatorConfig = z.strictObject({
  /** How models are run; which ones is part of each request. */
  model: modelConfig.omit({ checkpoint: true }),
});

/** See {@link evaluatorConfig}. */
export type EvaluatorConfig = z.output<typeof evaluatorConfig>;
