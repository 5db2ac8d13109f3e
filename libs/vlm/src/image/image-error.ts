/** Why an image cannot be used. */
export type ImageFault = 'unreadable' | 'empty' | 'not-an-image' | 'damaged' | 'too-large';

/** Thrown when an image file cannot be used; `reason` goes into the skip record. */
export class ImageError extends Error {
  override readonly name = 'ImageError';

  constructor(
    readonly reason: ImageFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
