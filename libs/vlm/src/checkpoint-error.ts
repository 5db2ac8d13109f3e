/** Thrown when a checkpoint folder cannot be read or written as it stands; the message names the file and the field or tensor. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}
