/** A set-up step that could not be done; the message says why, in one line where possible. */
export class SetupError extends Error {
  name = 'SetupError';
}
