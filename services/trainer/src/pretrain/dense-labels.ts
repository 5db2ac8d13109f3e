import { COLOUR_NAMES, nearestColourName, THINGS } from '@mpa/benchmarks';

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

/** A drawn object and where it is. */
export interface LabelledObject {
  /** Of {@link THINGS}. */
  readonly name: string;
  readonly box: Box;
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789.,%-';

/** Number of character classes; class 0 is "no character here". */
export const CHARACTERS = ALPHABET.length + 2;
/** Number of places in a text that are told apart; class 0 is "no character here". */
export const PLACES = 13;
/** Number of texts of an image that are told apart; class 0 is "no character here". */
export const ITEMS = 9;
/** Number of object classes; class 0 is "no object here". */
export const OBJECTS = THINGS.length + 1;
/** Number of colour classes. */
export const COLOURS = COLOUR_NAMES.length;
/** Each patch is labelled twice: its left and its right half, for narrow characters. */
export const SLOTS = 2;

/**
 * For every half patch, row by row: which character covers it, its place in its text, and which text; for every patch, which
 * object is there. All 0 for none. And for every patch the name of its most frequent colour.
 */
export interface DenseLabels {
  readonly characters: Uint8Array;
  readonly places: Uint8Array;
  readonly items: Uint8Array;
  readonly objects: Uint8Array;
  readonly colours: Uint8Array;
}

/** What is known about a drawn image. */
interface Labelled {
  readonly glyphs: readonly LabelledGlyph[];
  readonly objects: readonly LabelledObject[];
  /** RGB, rows from the top. */
  readonly pixels: Uint8Array;
}

/** Dense labels of an image of `imageSize` pixels in height and width, cut into `side` x `side` patches. */
export function denseLabels({ glyphs, objects, pixels }: Labelled, imageSize: number, side: number): DenseLabels {
  return {
    ...glyphLabels(glyphs, imageSize, side),
    objects: objectLabels(objects, imageSize / side, side),
    colours: colourLabels(pixels, imageSize, side),
  };
}

function glyphLabels(
  glyphs: readonly LabelledGlyph[],
  imageSize: number,
  side: number,
): Omit<DenseLabels, 'objects' | 'colours'> {
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

/** The object in whose box the middle of a patch lies. */
function objectLabels(objects: readonly LabelledObject[], patch: number, side: number): Uint8Array {
  return Uint8Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [((i % side) + 0.5) * patch, (Math.floor(i / side) + 0.5) * patch];
    const there = objects.find(({ box }) => x > box.x && x < box.x + box.w && y > box.y && y < box.y + box.h);
    return there ? THINGS.findIndex(({ name }) => name === there.name) + 1 : 0;
  });
}

/** The colour name that most of a patch's pixels have, of every second in each direction. */
function colourLabels(pixels: Uint8Array, imageSize: number, side: number): Uint8Array {
  const patch = imageSize / side;
  return Uint8Array.from({ length: side * side }, (_, i) => {
    const counts = new Uint16Array(COLOURS);
    for (let y = 0; y < patch; y += 2) {
      for (let x = 0; x < patch; x += 2) {
        const at = 3 * ((Math.floor(i / side) * patch + y) * imageSize + (i % side) * patch + x);
        counts[nearestColourName(pixels[at]!, pixels[at + 1]!, pixels[at + 2]!)]!++;
      }
    }
    return counts.indexOf(Math.max(...counts));
  });
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
