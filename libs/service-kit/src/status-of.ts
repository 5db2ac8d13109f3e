import { RpcError } from '@mpa/contracts';
import type { RpcCode } from '@mpa/contracts';
import { StorageError } from '@mpa/storage';
import type { StorageErrorCode } from '@mpa/storage';
import { ConfigError } from './config-error.js';

const ofStorage: Record<StorageErrorCode, RpcCode> = {
  'not-found': 'NOT_FOUND',
  'no-images': 'FAILED_PRECONDITION',
  unreadable: 'FAILED_PRECONDITION',
  'too-large': 'INVALID_ARGUMENT',
  corrupt: 'DATA_LOSS',
  empty: 'INVALID_ARGUMENT',
  locked: 'ABORTED',
  unsupported: 'INVALID_ARGUMENT',
  'not-allowed': 'PERMISSION_DENIED',
  forbidden: 'PERMISSION_DENIED',
  credentials: 'FAILED_PRECONDITION',
  unreachable: 'UNAVAILABLE',
  timeout: 'DEADLINE_EXCEEDED',
};

/**
 * The status of the libraries' errors; undefined for one that is nobody's fault but ours. Errors that call themselves
 * retriable are UNAVAILABLE.
 */
export function statusOf(error: unknown): RpcError | undefined {
  if (error instanceof RpcError) return error;
  if (error instanceof StorageError) return new RpcError(ofStorage[error.code], error.message, { cause: error });
  if (error instanceof ConfigError) return new RpcError('INVALID_ARGUMENT', error.message, { cause: error });
  const passing = error instanceof Error && 'retriable' in error && error.retriable === true;
  return passing ? unavailable(error) : undefined;
}

/** The status of an error that another process, or this one later, would not have. */
export function unavailable(error: unknown): RpcError {
  return new RpcError('UNAVAILABLE', (error as Error).message, { cause: error });
}
