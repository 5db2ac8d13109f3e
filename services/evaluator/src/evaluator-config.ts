import { endpointSettings, modelConfig } from '@mpa/inference';
import { z } from 'zod';

/** Configuration of the evaluator, beside the server's keys. */
export const evaluatorConfig = z.strictObject({
  /** How every model of a request is run. */
  model: modelConfig.omit({ checkpoint: true }).extend({ maxNewTokens: z.int().positive().default(24) }),
  /** How models behind endpoints are asked, each within the budget of its own in every evaluation. */
  endpoint: endpointSettings.prefault({}),
  /** Questions answered together, the same for every model. */
  batch: z.int().positive().default(8),
});

/** Validated {@link evaluatorConfig}. */
export type EvaluatorConfig = z.output<typeof evaluatorConfig>;
