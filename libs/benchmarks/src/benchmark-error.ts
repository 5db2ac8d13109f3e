/** A benchmark's annotations cannot be read; the message names the file and the field, and what was expected there. */
export class BenchmarkError extends Error {
  override readonly name = 'BenchmarkError';

  constructor(
    message: string,
    /** The annotations file. */
    readonly file: string,
    options?: ErrorOptions & {
      /** Path of the field inside the file, as in `data.3.answers`. */
      field?: string;
    },
  ) {
    super(message, options);
    this.field = options?.field;
  }

  readonly field: string | undefined;
}
