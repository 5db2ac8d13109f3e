/** Thrown when a model cannot be built, loaded or run as asked; the message says what to change. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError';
}
