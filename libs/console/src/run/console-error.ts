/**
 * What went wrong:
 * - `not-found`: no such run or sample (any more);
 * - `unreadable`: a run is there, and cannot be read;
 * - `bad-request`: a query that is none;
 * - `not-built`: the pages were not built;
 * - `listen`: the server cannot listen.
 */
export type ConsoleErrorCode = 'not-found' | 'unreadable' | 'bad-request' | 'not-built' | 'listen';

/** The one error of this package; the message says what is wrong. */
export class ConsoleError extends Error {
  override readonly name = 'ConsoleError';

  constructor(
    readonly code: ConsoleErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
