/**
 * What went wrong in storage:
 * - `not-found`: no such file, folder, object or glob base;
 * - `no-images`: the source holds no image that can be used;
 * - `unreadable`: the system or server refused to read or write (permissions, I/O error, disk full);
 * - `too-large`: a file is larger than the caller's limit;
 * - `corrupt`: a file's content is not what it must be;
 * - `empty`: a place without bytes;
 * - `locked`: another process is at work in the run folder;
 * - `unsupported`: a URI scheme or kind of file that this build cannot read;
 * - `not-allowed`: a host, address or place outside of what was allowed;
 * - `forbidden`: a server denies access to this file;
 * - `credentials`: credentials are missing or refused;
 * - `unreachable`: no connection, or a server that fails, after all tries;
 * - `timeout`: no complete answer in time.
 */
export type StorageErrorCode =
  | 'not-found'
  | 'no-images'
  | 'unreadable'
  | 'too-large'
  | 'corrupt'
  | 'empty'
  | 'locked'
  | 'unsupported'
  | 'not-allowed'
  | 'forbidden'
  | 'credentials'
  | 'unreachable'
  | 'timeout';

/** The one error of this package; the message names the path and what to do. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  /** Whether the way to all files is at fault (or room for them), not this file: the same call may succeed later. */
  readonly retriable: boolean;

  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: { cause?: unknown; retriable?: boolean },
  ) {
    super(message, options);
    this.retriable = options?.retriable ?? false;
  }
}
