import type { SKRSContext2D } from '@napi-rs/canvas';
import { drawColours, inkOn } from './colours.js';
import { IMAGE_SIZE, type DrawnScene } from './drawn-sample.js';
import { fontFaces } from './fonts.js';
import { Random } from './random.js';
import type { Split } from './split.js';
import { seenFromAside, Stage } from './stage.js';
import { capHeight, characterBoxes, plainText, type DrawnText } from './text.js';
import { drawNumber, drawWord } from './vocabulary.js';

const MARGIN = 4;
/** Height of the smallest capitals, in pixels. */
const SMALLEST = 16;
/** Faces of the easiest pages, and how many they are. */
const PLAIN = ['lato', 'open-sans', 'roboto-4', 'roboto-7'];
const FEWEST_FACES = 4;

/**
 * A page full of words and numbers of the split in many faces, sizes and colours: nothing to ask, much to read. It teaches a
 * vision tower its letters, five times as many an image as a scene has. `ease` (0 to 1) makes a primer of it: at 1, a few faces in
 * large, mostly capital letters, seen straight, in a clear light.
 */
export function drawPage(split: Split, seed: number, ease = 0): DrawnScene {
  const random = new Random(`page:${split}:${seed}`);
  const stage = new Stage();
  const whole = { x: 0, y: 0, w: IMAGE_SIZE, h: IMAGE_SIZE };
  if (random.chance(0.5 + ease / 2)) {
    writeLines(stage.context, random, split, ease).forEach((text) => stage.note(text));
  } else {
    stage.context.fillStyle = drawColours(random, 1)[0]!.hex;
    stage.context.fillRect(0, 0, IMAGE_SIZE, IMAGE_SIZE);
    const quad = seenFromAside(random, whole, random.real(0.2, 1));
    stage.place({ w: IMAGE_SIZE, h: IMAGE_SIZE }, quad, (context) => writeLines(context, random, split, ease));
  }
  const pixels = stage.photograph(random, 1 - ease);
  const { texts, glyphs } = stage.readable();
  return { pixels, questions: [], texts, transcription: texts.join(', ').toLowerCase(), glyphs, objects: [] };
}

/** Lines from top to bottom, each with its own ground, ink, face and size. */
function writeLines(context: SKRSContext2D, random: Random, split: Split, ease: number): DrawnText[] {
  const texts: DrawnText[] = [];
  let top = 0;
  while (top < IMAGE_SIZE) {
    const spread = random.real(1.4, 1.8);
    const wished = random.chance(0.6 * (1 - ease)) ? random.real(17, 28) : random.real(26 + 6 * ease, 60 - 16 * ease);
    const capital = Math.min(wished, (IMAGE_SIZE - top) / spread);
    const height = capital * spread;
    const ground = drawColours(random, 1)[0]!.hex;
    context.fillStyle = ground;
    context.fillRect(0, top, IMAGE_SIZE, height + 1);
    if (capital < SMALLEST) break;
    context.fillStyle = inkOn(random, ground);
    texts.push(...writeLine(context, random, split, { capital, baseline: top + (height + capital) / 2, ease }));
    top += height;
  }
  return texts;
}

function writeLine(
  context: SKRSContext2D,
  random: Random,
  split: Split,
  { capital, baseline, ease }: { capital: number; baseline: number; ease: number },
): DrawnText[] {
  const faces = plainFirst();
  const face = random.pick(faces.slice(0, Math.max(FEWEST_FACES, Math.round(faces.length * (1 - ease)))));
  const size = capital / capHeight(face);
  plainText(context);
  context.font = `${size}px "${face}"`;
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  const texts: DrawnText[] = [];
  let x = MARGIN + random.real(0, 12);
  for (let misses = 0; misses < 4;) {
    const text = wordOrNumber(random, split, ease);
    const { width } = context.measureText(text);
    if (x + width > IMAGE_SIZE - MARGIN) {
      misses++;
      continue;
    }
    context.fillText(text, x, baseline);
    texts.push(characterBoxes(context, text, x, baseline));
    x += width + size * random.real(0.25, 0.6);
  }
  return texts;
}

/** All faces, the plainest first. */
function plainFirst(): readonly string[] {
  const rank = (face: string): number => (PLAIN.some((family) => face.startsWith(family)) ? 0 : 1);
  return [...fontFaces()].sort((a, b) => rank(a) - rank(b));
}

function wordOrNumber(random: Random, split: Split, ease: number): string {
  if (random.chance(0.35)) return drawNumber(random, split, random.int(2, 4));
  const word = drawWord(random, split, 3, 7);
  if (random.chance(0.45 + ease / 2)) return word.toUpperCase();
  return random.chance(0.4) ? word.charAt(0).toUpperCase() + word.slice(1) : word;
}
