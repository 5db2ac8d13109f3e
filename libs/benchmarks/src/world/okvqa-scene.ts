import type { Canvas } from '@napi-rs/canvas';
import { park, sand, sky, street, table, wall, water, type Backdrop } from './backdrops.js';
import { IMAGE_SIZE, type DrawnObject, type DrawnScene } from './drawn-sample.js';
import { factQuestions } from './fact-questions.js';
import type { Box } from './geometry.js';
import { ICON_STYLES, hasIcon, iconCanvas, type IconStyle } from './icons.js';
import type { Random } from './random.js';
import type { Split } from './split.js';
import { Stage } from './stage.js';
import { THINGS, type Group, type Thing } from './things.js';

/** Where things of a group may be seen. */
const PLACES: Readonly<Record<Group, readonly Backdrop[]>> = {
  animal: [park, park, sand, wall],
  food: [table, table, wall],
  sport: [park, wall, sand],
  vehicle: [street, park, sky],
  tool: [table, wall],
  instrument: [wall, table],
};

/** The largest and smallest width of an object by how many there are. */
const SIZES: Readonly<Record<number, readonly [number, number]>> = { 1: [115, 175], 2: [92, 116], 3: [72, 82] };

/** One to three objects in a place, with questions that need a fact, as OK-VQA asks. Nothing in it is the split's own but the seed. */
export async function drawOkvqa(random: Random, _split: Split): Promise<DrawnScene> {
  const things = chooseThings(random);
  const styles = things.map(({ icon }) => random.pick(ICON_STYLES.filter((style) => hasIcon(style, icon))));
  const icons = await Promise.all(things.map(({ icon }, i) => iconCanvas(styles[i] as IconStyle, icon)));
  const stage = new Stage();
  backdropFor(random, things)(stage.context, random);
  const objects: DrawnObject[] = [];
  for (const [i, thing] of things.entries()) {
    const box = standing(random, i, things.length);
    placeIcon(stage, random, icons[i] as Canvas, box);
    objects.push({ name: thing.name, box });
  }
  const pixels = stage.photograph(random, 0.8);
  return {
    pixels,
    questions: factQuestions(random, things),
    texts: [],
    transcription: objects.map(({ name }) => name).join(', '),
    glyphs: [],
    objects,
  };
}

function chooseThings(random: Random): Thing[] {
  const count = random.pick([1, 1, 2, 2, 3]);
  if (count === 1 || random.chance(0.4)) return random.sample(THINGS, count);
  const { group } = random.pick(THINGS);
  return random.sample(
    THINGS.filter((thing) => thing.group === group),
    count,
  );
}

function backdropFor(random: Random, things: readonly Thing[]): Backdrop {
  if (things.some(({ tags }) => tags.includes('lives in the ocean') || tags.includes('travels on water'))) return water;
  return random.pick(PLACES[random.pick(things).group]);
}

/** A place for the i-th of `count` objects from the left. */
function standing(random: Random, i: number, count: number): Box {
  const [least, most] = SIZES[count] ?? [72, 82];
  const size = random.real(least, most);
  const column = IMAGE_SIZE / count;
  const slack = Math.max(0, column - size - 4) / 2;
  const x = column * i + (column - size) / 2 + random.real(-slack, slack);
  return { x, y: IMAGE_SIZE - size - random.real(14, 60), w: size, h: size };
}

function placeIcon(stage: Stage, random: Random, icon: Canvas, { x, y, w, h }: Box): void {
  const { context } = stage;
  context.save();
  context.translate(x + w / 2, y + h / 2);
  context.fillStyle = 'rgba(0,0,0,0.22)';
  context.beginPath();
  context.ellipse(0, h * 0.48, w * 0.4, h * 0.07, 0, 0, 7);
  context.fill();
  context.rotate(random.real(-0.14, 0.14));
  context.scale(random.chance(0.5) ? -1 : 1, random.real(0.92, 1));
  context.imageSmoothingQuality = 'high';
  context.drawImage(icon, -w / 2, -h / 2, w, h);
  context.restore();
}
