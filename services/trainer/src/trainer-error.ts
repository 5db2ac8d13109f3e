/**
 * Why a training cannot be done:
 * - `bad-sample`: a record of the run cannot be learnt from as it is;
 * - `diverged`: the loss is no number any more;
 * - `other-training`: the state folder is that of a training with other samples, options or weights.
 */
export type TrainerErrorCode = 'bad-sample' | 'diverged' | 'other-training';

/** The error of this service's own; the message says what to do. */
export class TrainerError extends Error {
  override readonly name = 'TrainerError';

  constructor(
    readonly code: TrainerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
