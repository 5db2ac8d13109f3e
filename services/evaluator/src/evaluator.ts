import { MetricError } from '@mpa/answer-metrics';
import { BenchmarkError } from '@mpa/benchmarks';
import { EvaluatorService, implement, RpcError } from '@mpa/contracts';
import type { EvaluateRequest } from '@mpa/contracts';
import { withModelErrors } from '@mpa/inference';
import type { Service } from '@mpa/service-kit';
import { evaluate } from './evaluate.js';
import { evaluatorConfig } from './evaluator-config.js';

/** Scores checkpoints on benchmarks: EvaluatorService. Holds no model between requests. */
export const evaluator: Service<typeof evaluatorConfig> = {
  name: 'evaluator',
  config: evaluatorConfig,
  start: (config, { stopping, implementOptions }) => {
    const options = withModelErrors(implementOptions);
    const convert = (error: unknown): RpcError | undefined => statusOfBenchmark(error) ?? options.convert?.(error);
    let busy = false;
    const service = implement(
      EvaluatorService,
      {
        async *evaluate(request, { signal }) {
          check(request);
          if (busy) throw new RpcError('RESOURCE_EXHAUSTED', 'an evaluation is going on; its speeds would be wrong');
          busy = true;
          try {
            const ending = AbortSignal.any([signal, stopping]);
            for await (const event of evaluate(request, config, ending)) yield { event };
          } catch (error) {
            if (stopping.aborted) throw new RpcError('UNAVAILABLE', 'the service is stopping', { cause: error });
            throw error;
          } finally {
            busy = false;
          }
        },
      },
      { ...options, convert },
    );
    return Promise.resolve({ implementations: [service], close: () => Promise.resolve() });
  },
};

function check({ models, annotations, imageRoot }: EvaluateRequest): void {
  const labels = models.map(({ label }) => label);
  if (labels.length === 0) throw new RpcError('INVALID_ARGUMENT', 'the request has no models');
  if (new Set(labels).size < labels.length) throw new RpcError('INVALID_ARGUMENT', 'two models have the same label');
  if (annotations === '' || imageRoot === '') {
    throw new RpcError(
      'INVALID_ARGUMENT',
      'set `annotations` to the file and `image_root` to the folder of the images',
    );
  }
}

function statusOfBenchmark(error: unknown): RpcError | undefined {
  const known = error instanceof BenchmarkError || error instanceof MetricError;
  return known ? new RpcError('INVALID_ARGUMENT', error.message, { cause: error }) : undefined;
}
