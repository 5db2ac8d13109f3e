import type { Canvas } from '@napi-rs/canvas';
import type { Task } from '@mpa/answer-metrics';
import type { Box } from './geometry.js';

/** A question about a drawn image. `answer` is lower case; `answers` are as many as the benchmark gives. */
export interface DrawnQuestion {
  question: string;
  answer: string;
  answers: string[];
}

/** A character on the image: `item` is the text it belongs to (`texts`), `index` its place in that text. */
export interface Glyph {
  char: string;
  index: number;
  item: number;
  box: Box;
}

/** An object on the image. */
export interface DrawnObject {
  name: string;
  box: Box;
}

/** An image of the drawn world with everything known about it. Boxes are in image pixels, perspective included. */
export interface DrawnSample {
  task: Task;
  /** RGB, 8 bits a channel, rows from the top, `IMAGE_SIZE` pixels wide and high. */
  pixels: Uint8Array;
  /** The same as a canvas, made when first asked for. */
  readonly image: Canvas;
  questions: DrawnQuestion[];
  /** Every text on the image, in reading order (rows from the top, each from the left), as drawn. */
  texts: string[];
  /**
   * What a reader would say, lower case, entries joined by ", ": the texts in reading order; for a chart its title if it has
   * one, then "label value" of each mark; for objects their names from the left.
   */
  transcription: string;
  glyphs: Glyph[];
  objects: DrawnObject[];
}

/** What a scene draws: a sample without its task and canvas. */
export type DrawnScene = Omit<DrawnSample, 'task' | 'image'>;

/** Width and height of every drawn image in pixels. */
export const IMAGE_SIZE = 256;
