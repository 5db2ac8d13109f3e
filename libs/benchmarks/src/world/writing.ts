import { createCanvas } from '@napi-rs/canvas';
import type { Colour } from './colours.js';
import { fontFaces } from './fonts.js';
import type { Box } from './geometry.js';
import type { Prop } from './props.js';
import type { Random } from './random.js';
import type { Split } from './split.js';
import { seenFromAside, type Stage } from './stage.js';
import { capHeight, drawTextIn, fittingSize } from './text.js';
import { drawNumber, drawWord } from './vocabulary.js';

/** Height of capitals, in image pixels, below which nothing is written (half as many when seen at 128 pixels). */
export const SMALLEST_CAPITAL = 25;

/** Height of capitals above which nothing is written. */
export const LARGEST_CAPITAL = 62;

/** A prop as it stands in the image, with what is written on it. */
export interface WrittenProp {
  prop: Prop;
  colour: Colour;
  kind: 'word' | 'number';
  /** As drawn, in its case. */
  text: string;
}

/** Draws a prop with a word or number of the split on it into `box` of the stage, seen from `aside` (0 straight, 1 moderately). */
export function placeWritten(
  stage: Stage,
  random: Random,
  options: { prop: Prop; colour: Colour; box: Box; split: Split; aside: number },
): WrittenProp {
  const { prop, colour, box, split, aside } = options;
  const layer = createCanvas(Math.round(box.w), Math.round(box.h));
  const context = layer.getContext('2d');
  const { area, ink } = prop.draw(context, layer.width, layer.height, colour, random);
  const kind = random.pick(prop.writing);
  const { text, face } = fittingText(random, split, kind, area);
  context.fillStyle = ink;
  const drawn = drawTextIn(context, text, face, area, LARGEST_CAPITAL);
  stage.place(layer, seenFromAside(random, box, aside), [drawn]);
  return { prop, colour, kind, text };
}

/** A text and a face in which it fits the area with capitals large enough to read. */
export function fittingText(
  random: Random,
  split: Split,
  kind: 'word' | 'number',
  area: Box,
): { text: string; face: string } {
  for (let attempt = 0; ; attempt++) {
    const face = random.pick(fontFaces());
    const longest = Math.max(3, 7 - Math.floor(attempt / 6));
    const text =
      kind === 'number'
        ? drawNumber(random, split, random.int(2, Math.min(4, longest)))
        : inCase(random, drawWord(random, split, 3, longest));
    const size = fittingSize(face, text, area.w, Math.min(area.h, LARGEST_CAPITAL));
    if (size * capHeight(face) >= SMALLEST_CAPITAL || attempt > 60) return { text, face };
  }
}

function inCase(random: Random, word: string): string {
  const style = random.real();
  if (style < 0.5) return word.toUpperCase();
  return style < 0.75 ? word.charAt(0).toUpperCase() + word.slice(1) : word;
}
