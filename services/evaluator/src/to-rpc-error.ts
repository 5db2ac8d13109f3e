import { MetricError } from '@mpa/answer-metrics';
import { BenchmarkError } from '@mpa/benchmarks';
import { RpcError } from '@mpa/contracts';
import { ConfigError } from '@mpa/service-kit';
import { StorageError } from '@mpa/storage';

/** The status of errors in the benchmark, the results file or an endpoint's settings; undefined for others. */
export function toRpcError(error: unknown): RpcError | undefined {
  if (error instanceof BenchmarkError || error instanceof MetricError || error instanceof ConfigError) {
    return new RpcError('INVALID_ARGUMENT', error.message, { cause: error });
  }
  if (!(error instanceof StorageError)) return undefined;
  const code = error.code === 'unsupported' ? 'INVALID_ARGUMENT' : 'FAILED_PRECONDITION';
  return new RpcError(code, error.message, { cause: error });
}
