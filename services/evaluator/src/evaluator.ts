import { EvaluatorService, implement } from '@mpa/contracts';
import { withModelErrors } from '@mpa/inference';
import type { Service } from '@mpa/service-kit';
import { evaluateHandler } from './evaluate-handler.js';
import { evaluatorConfig } from './evaluator-config.js';
import { toRpcError } from './to-rpc-error.js';

/** Scores checkpoints on a benchmark, side by side. */
export const evaluator: Service<typeof evaluatorConfig> = {
  name: 'evaluator',
  config: evaluatorConfig,
  start: async (config, context) => {
    const handlers = { evaluate: evaluateHandler(config, context) };
    const options = withModelErrors({ ...context.implementOptions, convert: toRpcError });
    return { implementations: [implement(EvaluatorService, handlers, options)], close: async () => undefined };
  },
};
