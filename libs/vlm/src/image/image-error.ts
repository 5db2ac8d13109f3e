/**
 * Why an image cannot be used: `unreadable` (no such file, no permission, a loop of links, not a file), `empty` (0 bytes),
 * `not-an-image` (no known format), `damaged` (ends early or contradicts itself), `too-large` (pixels, told from the header, or bytes), `too-elongated` (one side so much longer than the other that the model does not read it).
 */
export type ImageFault = 'unreadable' | 'empty' | 'not-an-image' | 'damaged' | 'too-large' | 'too-elongated';

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
