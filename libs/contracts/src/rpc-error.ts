import { status } from '@grpc/grpc-js';

/** Name of a gRPC status other than OK. */
export type RpcCode = Exclude<keyof typeof status, 'OK'>;

const RETRIABLE: ReadonlySet<RpcCode> = new Set(['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'ABORTED', 'DEADLINE_EXCEEDED']);

/** The one error of a call, on both sides of it. The message crosses the wire, `cause` does not. */
export class RpcError extends Error {
  override readonly name = 'RpcError';

  constructor(
    readonly code: RpcCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  /** Whether the same call may succeed later. */
  get retriable(): boolean {
    return RETRIABLE.has(this.code);
  }
}

/** What a call threw, as an RpcError: a gRPC status keeps its code, an abort is CANCELLED, anything else INTERNAL. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (!(error instanceof Error)) return new RpcError('INTERNAL', String(error), { cause: error });
  if (error.name === 'AbortError') return new RpcError('CANCELLED', 'the call was cancelled', { cause: error });
  const code = 'code' in error && typeof error.code === 'number' ? (status[error.code] as RpcCode) : undefined;
  if (code === undefined) return new RpcError('INTERNAL', error.message, { cause: error });
  return new RpcError(code, 'details' in error ? String(error.details) : error.message, { cause: error });
}
