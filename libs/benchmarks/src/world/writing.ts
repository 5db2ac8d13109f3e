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
const SMALLEST_CAPITAL = 25;

/** Height of capitals above which nothing is written. */
const LARGEST_CAPITAL = 62;

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
  const [w, h] = [Math.round(box.w), Math.round(box.h)];
  const kind = random.pick(prop.writing);
  let text = '';
  stage.place({ w, h }, seenFromAside(random, box, aside), (context) => {
    const { area, ink } = prop.draw(context, w, h, colour, random);
    const fitting = fittingText(random, split, kind, area);
    text = fitting.text;
    context.fillStyle = ink;
    return [drawTextIn(context, text, fitting.face, area, LARGEST_CAPITAL)];
  });
  return { prop, colour, kind, text };
}

/** A text and a face in which it fits the area with capitals large enough to read. */
function fittingText(random: Random, split: Split, kind: 'word' | 'number', area: Box): { text: string; face: string } {
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
