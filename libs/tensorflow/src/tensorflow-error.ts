/** Thrown when TensorFlow cannot be loaded or a model, batch or optimizer does not fit; the message says what to change. */
export class TensorflowError extends Error {
  override readonly name = 'TensorflowError';
}
