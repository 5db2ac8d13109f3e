/** The drawn world could not be drawn or written; the message says what is missing and what to do. */
export class WorldError extends Error {
  override readonly name = 'WorldError';
}
