/**
 * What went wrong in storage:
 * - `not-found`: no such file, folder or glob base;
 * - `no-images`: the source holds no image that can be used;
 * - `unreadable`: the system refused to read or write (permissions, I/O error, disk full);
 * - `too-large`: a file is larger than the caller's limit;
 * - `corrupt`: a file's content is not what it must be;
 * - `locked`: another process is at work in the run folder;
 * - `unsupported`: a URI scheme that this build cannot read.
 */
export type StorageErrorCode =
  'not-found' | 'no-images' | 'unreadable' | 'too-large' | 'corrupt' | 'locked' | 'unsupported';

/** The one error of this package; the message names the path and what to do. */
export class StorageError extends Error {
  override readonly name = 'StorageError';

  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
