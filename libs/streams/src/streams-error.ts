/**
 * What went wrong in a stream:
 * - `closed`: the streams or the consumer were used after `close`;
 * - `invalid-record`: an empty or over-long topic name, key or id;
 * - `stale`: the batch's partition now belongs to another consumer, so nothing of it was committed;
 * - `undecodable`: the bytes of a record are not a message of its topic;
 * - `store`: the transport failed (disk full, folder not writable, broker gone).
 */
export type StreamsErrorCode = 'closed' | 'invalid-record' | 'stale' | 'undecodable' | 'store';

/** The one error of this package. `retriable` says whether the same call may succeed later. */
export class StreamsError extends Error {
  override readonly name = 'StreamsError';

  constructor(
    readonly code: StreamsErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  get retriable(): boolean {
    return this.code === 'stale' || this.code === 'store';
  }
}
