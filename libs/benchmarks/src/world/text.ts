import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import type { Box } from './geometry.js';
import { fontFaces } from './fonts.js';

/** A character as drawn: `index` is its place in its text, `box` the rectangle of its ink. */
export interface DrawnCharacter {
  char: string;
  index: number;
  box: Box;
}

/** A piece of text as drawn, with each of its characters that leaves ink. */
export interface DrawnText {
  text: string;
  characters: DrawnCharacter[];
}

const REFERENCE = 100;
const capHeights = new Map<string, number>();
let measuring: SKRSContext2D | undefined;

/** Height of a capital H in a face, as a share of the font size. */
export function capHeight(face: string): number {
  let height = capHeights.get(face);
  if (height === undefined) {
    height = measureIn(face).measureText('H').actualBoundingBoxAscent / REFERENCE;
    capHeights.set(face, height);
  }
  return height;
}

/** The largest font size at which the text fits: `width` for all of it, `height` for a capital. */
export function fittingSize(face: string, text: string, width: number, height: number): number {
  const advance = measureIn(face).measureText(text).width / REFERENCE;
  return Math.min(width / advance, height / capHeight(face));
}

/** The width of the text in image pixels when its capitals are `capitals` high. */
export function textWidth(face: string, text: string, capitals: number): number {
  return ((measureIn(face).measureText(text).width / REFERENCE) * capitals) / capHeight(face);
}

/** The boxes of the characters that `fillText(text, x, y)` would draw with the context's present state, untransformed. */
export function characterBoxes(context: SKRSContext2D, text: string, x: number, y: number): DrawnText {
  const align = context.textAlign;
  const advances = [...text].map((char) => context.measureText(char).width);
  const total = advances.reduce((sum, advance) => sum + advance, 0);
  let pen = x - (align === 'center' ? total / 2 : align === 'right' || align === 'end' ? total : 0);
  context.textAlign = 'left';
  const characters: DrawnCharacter[] = [];
  [...text].forEach((char, index) => {
    const ink = context.measureText(char);
    const box = {
      x: pen - ink.actualBoundingBoxLeft,
      y: y - ink.actualBoundingBoxAscent,
      w: ink.actualBoundingBoxLeft + ink.actualBoundingBoxRight,
      h: ink.actualBoundingBoxAscent + ink.actualBoundingBoxDescent,
    };
    if (box.w > 0 && box.h > 0) characters.push({ char, index, box });
    pen += advances[index] ?? 0;
  });
  context.textAlign = align;
  return { text, characters };
}

/** Makes text draw alike everywhere and one character after the other: no kerning, fixed language. */
export function plainText(context: SKRSContext2D): void {
  context.fontKerning = 'none';
  context.lang = 'en';
}

/** Draws text centred in `area` (by its capitals) as large as fits, at most `largest` high; gives its characters. */
export function drawTextIn(context: SKRSContext2D, text: string, face: string, area: Box, largest: number): DrawnText {
  const size = fittingSize(face, text, area.w, Math.min(area.h, largest));
  plainText(context);
  context.font = `${size}px "${face}"`;
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  const x = area.x + area.w / 2;
  const y = area.y + area.h / 2 + (capHeight(face) * size) / 2;
  context.fillText(text, x, y);
  return characterBoxes(context, text, x, y);
}

function measureIn(face: string): SKRSContext2D {
  if (!measuring) {
    fontFaces();
    measuring = createCanvas(1, 1).getContext('2d');
    plainText(measuring);
  }
  measuring.font = `${REFERENCE}px "${face}"`;
  return measuring;
}
