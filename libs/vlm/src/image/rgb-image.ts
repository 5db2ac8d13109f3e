/** A decoded image: 8 bits a channel, rows from the top, R G B R G B ... */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** [height * width * 3] */
  readonly data: Uint8Array;
}
