import { RpcError } from '@mpa/contracts';
import type { RpcCode } from '@mpa/contracts';
import { ConfigError } from '@mpa/service-kit';
import { StorageError } from '@mpa/storage';
import { StreamsError } from '@mpa/streams';
import { TensorflowError } from '@mpa/tensorflow';
import { CheckpointError, ImageError } from '@mpa/vlm';
import { TrainerError } from './trainer-error.js';

/** The status of the errors that a training may end with; undefined for what nobody foresaw. */
export function toRpcError(error: unknown): RpcError | undefined {
  const code = codeOf(error);
  return code && new RpcError(code, (error as Error).message, { cause: error });
}

function codeOf(error: unknown): RpcCode | undefined {
  if (error instanceof ConfigError) return 'INVALID_ARGUMENT';
  if (error instanceof StreamsError) return error.code === 'undecodable' ? 'DATA_LOSS' : 'UNAVAILABLE';
  if (error instanceof StorageError && error.retriable) return 'UNAVAILABLE';
  if (error instanceof StorageError) return error.code === 'unsupported' ? 'INVALID_ARGUMENT' : 'FAILED_PRECONDITION';
  const expected = [CheckpointError, ImageError, TensorflowError, TrainerError];
  return expected.some((type) => error instanceof type) ? 'FAILED_PRECONDITION' : undefined;
}
