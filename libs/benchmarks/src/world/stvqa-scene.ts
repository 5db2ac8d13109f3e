import { asked, phrase } from './asking.js';
import { park, shelf, sky, street, table, wall } from './backdrops.js';
import { drawColours, type Colour } from './colours.js';
import { IMAGE_SIZE, type DrawnQuestion, type DrawnScene } from './drawn-sample.js';
import type { Box } from './geometry.js';
import { board, STREET_PROPS, TABLE_PROPS, WALL_PROPS, type Prop } from './props.js';
import type { Random } from './random.js';
import type { Split } from './split.js';
import { Stage } from './stage.js';
import { colourOf } from './textvqa-scene.js';
import { placeWritten, type WrittenProp } from './writing.js';

/** A written prop and where it stands among the others: "left", "top", ...; '' when alone. */
interface Standing extends WrittenProp {
  where: string;
}

type Layout = (stage: Stage, random: Random, split: Split) => Standing[];

const STACKED: Readonly<Record<number, readonly string[]>> = { 2: ['top', 'bottom'], 3: ['top', 'middle', 'bottom'] };
const ABREAST: Readonly<Record<number, readonly string[]>> = { 2: ['left', 'right'], 3: ['left', 'middle', 'right'] };

/** Two or three boards on one post. */
const signpost: Layout = (stage, random, split) => {
  random.pick([street, park, sky])(stage.context, random);
  const count = random.int(2, 3);
  const x = random.real(100, 156);
  stage.context.fillStyle = random.pick(['#6b6f73', '#7a5230', '#4d5357']);
  stage.context.fillRect(x - 5, 10, 10, IMAGE_SIZE);
  const height = count === 3 ? 62 : 74;
  return drawColours(random, count).map((colour, i) => {
    const w = random.real(190, 214);
    const box = {
      x: Math.min(Math.max(4, x - w / 2 + random.real(-16, 16)), IMAGE_SIZE - w - 4),
      y: 12 + i * (height + 8),
      w,
      h: height,
    };
    const written = placeWritten(stage, random, { prop: board, colour, box, split, aside: random.real(0.1, 0.6) });
    return { ...written, where: STACKED[count]?.[i] ?? '' };
  });
};

/** Two things of a street or a wall, side by side. */
const neighbours: Layout = (stage, random, split) => {
  const [backdrop, props] = random.pick([[street, STREET_PROPS], [park, STREET_PROPS], [wall, WALL_PROPS]] as const); // prettier-ignore
  backdrop(stage.context, random);
  return abreast(stage, random, split, { props: choose(random, props, 2), ground: IMAGE_SIZE - 6, aside: 0.6 });
};

/** Two or three products on a shelf or a table. */
const products: Layout = (stage, random, split) => {
  const onShelf = random.chance(0.6);
  (onShelf ? shelf : table)(stage.context, random);
  const props = choose(random, TABLE_PROPS, random.chance(0.35) ? 3 : 2);
  return abreast(stage, random, split, { props, ground: onShelf ? 215 : 236, aside: 0.4 });
};

/** One thing of a street. */
const alone: Layout = (stage, random, split) => {
  street(stage.context, random);
  const prop = random.pick(STREET_PROPS);
  const h = Math.min(random.real(170, 230), 220 / prop.aspect);
  const box = { x: random.real(8, IMAGE_SIZE - h * prop.aspect - 8), y: IMAGE_SIZE - h - 8, w: h * prop.aspect, h };
  return [
    {
      ...placeWritten(stage, random, { prop, colour: colourOf(random, prop), box, split, aside: random.real(0.2, 1) }),
      where: '',
    },
  ];
};

/** A street or a shelf with one to three texts, as ST-VQA asks about. */
export function drawStvqa(random: Random, split: Split): DrawnScene {
  const stage = new Stage();
  const standings = random.pick([signpost, signpost, neighbours, neighbours, products, products, alone])(
    stage,
    random,
    split,
  );
  const pixels = stage.photograph(random, 0.8);
  const { texts, glyphs } = stage.readable();
  return {
    pixels,
    questions: random.sample(standings.flatMap((standing) => questionsAbout(random, standing, standings))).slice(0, 6),
    texts,
    transcription: texts.join(', ').toLowerCase(),
    glyphs,
    objects: [],
  };
}

function choose(random: Random, props: readonly Prop[], count: number): Prop[] {
  const narrow = props.filter((prop) => prop.aspect < 1.3);
  return Array.from({ length: count }, () => random.pick(narrow));
}

function abreast(
  stage: Stage,
  random: Random,
  split: Split,
  row: { props: readonly Prop[]; ground: number; aside: number },
): Standing[] {
  const count = row.props.length;
  const room = (IMAGE_SIZE - 4) / count;
  const colours = drawColours(random, count);
  return row.props.map((prop, i) => {
    const w = room - random.real(3, 8);
    const h = Math.min(w / prop.aspect, row.ground - 20) * random.real(0.95, 1.12);
    const box: Box = { x: 2 + i * room + (room - w) / 2, y: row.ground - h, w, h };
    const colour: Colour = prop.colours ? colourOf(random, prop) : (colours[i] as Colour);
    return {
      ...placeWritten(stage, random, { prop, colour, box, split, aside: random.real(0, row.aside) }),
      where: ABREAST[count]?.[i] ?? '',
    };
  });
}

const QUESTIONS = {
  word: [
    'what does the {which} say',
    'what is written on the {which}',
    'what word is on the {which}',
    'what is on the {which}',
    'what text is on the {which}',
  ],
  number: [
    'what number is on the {which}',
    'what is the number on the {which}',
    'what is written on the {which}',
    'what is on the {which}',
  ],
} as const;

function questionsAbout(random: Random, standing: Standing, all: readonly Standing[]): DrawnQuestion[] {
  const { prop, colour, where, kind, text } = standing;
  const alike = (other: Standing): boolean => other !== standing && other.prop.noun === prop.noun;
  const ways: string[] = [];
  if (where !== '') ways.push(`${where} ${prop.noun}`);
  if (!all.some(alike)) ways.push(prop.noun);
  if (!all.some((other) => alike(other) && other.colour.name === colour.name)) ways.push(`${colour.name} ${prop.noun}`);
  return ways.map((which) => asked(phrase(random.pick(QUESTIONS[kind]), { which }), text.toLowerCase()));
}
