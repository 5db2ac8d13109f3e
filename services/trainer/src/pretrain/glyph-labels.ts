/** A rectangle in image pixels. */
interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A drawn character and where it is. */
export interface LabelledGlyph {
  readonly char: string;
  /** Place in its text. */
  readonly index: number;
  /** Text it belongs to, in reading order. */
  readonly item: number;
  readonly box: Box;
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789.,%-';

/** Number of character classes; class 0 is "no character here". */
export const CHARACTERS = ALPHABET.length + 2;
/** Number of places in a text that are told apart; class 0 is "no character here". */
export const PLACES = 13;
/** Number of texts of an image that are told apart; class 0 is "no character here". */
export const ITEMS = 9;
/** Each patch is labelled twice: its left and its right half, for narrow characters. */
export const SLOTS = 2;

/** For every half patch, row by row: which character covers it, its place in its text, and which text. All 0 for none. */
export interface GlyphLabels {
  readonly characters: Uint8Array;
  readonly places: Uint8Array;
  readonly items: Uint8Array;
}

/** Dense labels of an image of `imageSize` pixels cut into `side` x `side` patches: [side * side * SLOTS] each. */
export function glyphLabels(glyphs: readonly LabelledGlyph[], imageSize: number, side: number): GlyphLabels {
  const size = side * side * SLOTS;
  const labels = { characters: new Uint8Array(size), places: new Uint8Array(size), items: new Uint8Array(size) };
  const best = new Float32Array(size);
  const height = imageSize / side;
  const width = height / SLOTS;
  for (const { char, index, item, box } of glyphs) {
    const columns = cells(box.x, box.w, width, side * SLOTS);
    const rows = cells(box.y, box.h, height, side);
    for (const row of rows) {
      for (const column of columns) {
        const covered = row.share * column.share;
        const at = row.cell * side * SLOTS + column.cell;
        if (covered < 0.15 || covered <= best[at]!) continue;
        best[at] = covered;
        labels.characters[at] = classOf(char);
        labels.places[at] = Math.min(index + 1, PLACES - 1);
        labels.items[at] = Math.min(item + 1, ITEMS - 1);
      }
    }
  }
  return labels;
}

function cells(start: number, length: number, size: number, count: number): { cell: number; share: number }[] {
  const first = Math.max(0, Math.floor(start / size));
  const last = Math.min(count - 1, Math.floor((start + length) / size));
  const covered: { cell: number; share: number }[] = [];
  for (let cell = first; cell <= last; cell++) {
    const overlap = Math.min(start + length, (cell + 1) * size) - Math.max(start, cell * size);
    covered.push({ cell, share: overlap / size });
  }
  return covered;
}

function classOf(char: string): number {
  return ALPHABET.indexOf(char.toLowerCase()) + 2; // 1: a character outside the alphabet
}
