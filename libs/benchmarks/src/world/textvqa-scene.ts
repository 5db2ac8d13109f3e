import { askedOfTen, phrase } from './asking.js';
import { park, sky, street, table, wall, type Backdrop } from './backdrops.js';
import { drawColours, shadeOf, type Colour } from './colours.js';
import { IMAGE_SIZE, type DrawnQuestion, type DrawnScene } from './drawn-sample.js';
import type { Box } from './geometry.js';
import { STREET_PROPS, TABLE_PROPS, WALL_PROPS, type Prop } from './props.js';
import type { Random } from './random.js';
import type { Split } from './split.js';
import { Stage } from './stage.js';
import { placeWritten, type WrittenProp } from './writing.js';

const PLACES: readonly { backdrops: readonly Backdrop[]; props: readonly Prop[] }[] = [
  { backdrops: [street, park, sky], props: STREET_PROPS },
  { backdrops: [table], props: TABLE_PROPS },
  { backdrops: [wall], props: WALL_PROPS },
];

const WORD_QUESTIONS = [
  'what does the {noun} say',
  'what word is on the {noun}',
  'what is written on the {noun}',
  'what is the name on the {noun}',
  'which word can be read on the {noun}',
  'what is the word on this {noun}',
  'what does this say',
  'what text is on the {noun}',
  'what does it say on the {colour} {noun}',
];

const NUMBER_QUESTIONS = [
  'what number is on the {noun}',
  'what is the number on the {noun}',
  'which number is written on the {noun}',
  'what is the number shown on this {noun}',
  'what number can be seen',
  'what are the digits on the {colour} {noun}',
];

/** A scene with one thing that has something written on it, as TextVQA asks about. */
export function drawTextvqa(random: Random, split: Split): DrawnScene {
  const stage = new Stage();
  const place = random.pick(PLACES);
  random.pick(place.backdrops)(stage.context, random);
  const prop = random.pick(place.props);
  const colour = colourOf(random, prop);
  const written = placeWritten(stage, random, {
    prop,
    colour,
    box: standing(random, prop),
    split,
    aside: random.real(0.1, 1),
  });
  const pixels = stage.photograph(random);
  const { texts, glyphs } = stage.readable();
  return {
    pixels,
    questions: questionsAbout(random, written),
    texts,
    transcription: texts.join(', ').toLowerCase(),
    glyphs,
    objects: [],
  };
}

/** A colour that the prop comes in. */
export function colourOf(random: Random, prop: Prop): Colour {
  return prop.colours ? shadeOf(random, random.pick(prop.colours)) : (drawColours(random, 1)[0] as Colour);
}

function standing(random: Random, prop: Prop): Box {
  const h = Math.min(random.real(185, 238), 226 / prop.aspect);
  const w = h * prop.aspect;
  const y = IMAGE_SIZE - h - random.real(2, Math.min(20, IMAGE_SIZE - h - 6));
  return { x: random.real(6, IMAGE_SIZE - w - 6), y, w, h };
}

function questionsAbout(random: Random, { prop, colour, kind, text }: WrittenProp): DrawnQuestion[] {
  const answer = text.toLowerCase();
  const templates = random.sample(kind === 'word' ? WORD_QUESTIONS : NUMBER_QUESTIONS, random.int(3, 4));
  const slots = { noun: prop.noun, colour: colour.name };
  const also = kind === 'word' ? [text, `the ${answer}`] : [];
  const questions = templates.map((template) => askedOfTen(random, phrase(template, slots), answer, also));
  if (!random.chance(0.3)) return questions;
  const [ordinal, at] = random.pick([['first', 0], ['last', -1]] as const); // prettier-ignore
  const sort = kind === 'word' ? 'letter' : 'digit';
  questions.push(
    askedOfTen(random, phrase(`what is the ${ordinal} ${sort} on the {noun}`, slots), answer.at(at) ?? ''),
  );
  return questions;
}
