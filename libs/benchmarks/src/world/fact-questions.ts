import { askedOfTen, phrase } from './asking.js';
import type { DrawnQuestion } from './drawn-sample.js';
import type { Random } from './random.js';
import type { Group, Thing } from './things.js';

/** How each relation is asked about; {it} is "this animal", "the animal on the left", ... */
const RELATIONS: Readonly<Record<Group, Readonly<Record<string, readonly string[]>>>> = {
  animal: {
    eats: ['what does {it} eat', 'what is the favorite food of {it}', 'what would you feed {it}'],
    home: ['where does {it} live', 'where would you find {it}', 'what is the home of {it}'],
    legs: ['how many legs does {it} have', 'what number of legs does {it} have'],
    young: ['what is the young of {it} called', 'what is a baby of {it} called'],
  },
  food: {
    grows: ['where does {it} grow', 'what does {it} grow on'],
    makes: ['what can be made from {it}', 'what is made with {it}'],
    kind: ['what food group is {it} in', 'what food group does {it} belong to'],
  },
  sport: {
    sport: ['what sport is played with {it}', 'which sport uses {it}', 'what game is {it} used in'],
    place: ['where is the sport of {it} played', 'where is {it} used'],
    players: ['how many players are on a team that uses {it}'],
  },
  vehicle: {
    where: ['where does {it} travel', 'where does {it} go'],
    driver: ['who drives {it}', 'who is in control of {it}'],
    wheels: ['how many wheels does {it} have'],
  },
  tool: {
    use: ['what is {it} used for', 'what is the use of {it}', 'what would you use {it} for'],
    user: ['who uses {it}', 'what job needs {it}', 'who works with {it}'],
  },
  instrument: {
    played: ['how is {it} played', 'what do you play {it} with'],
    family: ['what family of instruments is {it} in', 'what kind of instrument is {it}'],
  },
};

/** What a thing of the group is called when it is not to be named. */
const NOUN: Readonly<Record<Group, string>> = {
  animal: 'animal',
  food: 'food',
  sport: 'thing',
  vehicle: 'vehicle',
  tool: 'object',
  instrument: 'instrument',
};

const NAMING = ['what is {it} called', 'what is {it}', 'what do you call {it}'] as const;

/** Three to six questions about things in a scene, given from the left. */
export function factQuestions(random: Random, things: readonly Thing[]): DrawnQuestion[] {
  const questions = [...chosen(random, things), ...chosen(random, things)];
  const about = things.flatMap((thing, i) =>
    facts(random, thing, things.length === 1 ? undefined : whereIs(i, things)),
  );
  questions.push(...random.sample(about, 6 - Math.min(2, questions.length)));
  const unique = new Map(questions.map((question) => [question.question, question]));
  return random.sample([...unique.values()]);
}

function whereIs(i: number, things: readonly Thing[]): string {
  const thing = things[i];
  const noun = thing ? NOUN[thing.group] : '';
  if (things.filter((other) => other.group === thing?.group).length === 1) return `the ${noun}`;
  const place =
    things.length === 2 ? ['on the left', 'on the right'] : ['on the left', 'in the middle', 'on the right'];
  return `the ${noun} ${place[i] ?? ''}`;
}

function facts(random: Random, thing: Thing, where: string | undefined): DrawnQuestion[] {
  const it = where ?? `this ${NOUN[thing.group]}`;
  const known = Object.entries(thing.facts).map(([relation, [answer = '', ...also]]) => {
    const templates = RELATIONS[thing.group][relation] ?? [];
    return askedOfTen(random, phrase(random.pick(templates), { it }), answer, also);
  });
  const naming = phrase(random.pick(NAMING), { it });
  return [...known, askedOfTen(random, naming, thing.name)];
}

/** "Which of these ...", where one of the things, and only one, is or does so. */
function chosen(random: Random, things: readonly Thing[]): DrawnQuestion[] {
  if (things.length < 2) return [];
  const tags = things.flatMap((thing) =>
    thing.tags
      .filter((tag) => things.filter((other) => other.tags.includes(tag)).length === 1)
      .map((tag) => ({ thing, tag })),
  );
  if (tags.length === 0) return [];
  const { thing, tag } = random.pick(tags);
  const verb =
    /^(is|has|can|gives|makes|lives|spins|comes|carries|goes|runs|puts|takes|chases|cuts|opens|keeps|measures|writes|tells|turns|travels|knocks)\b/.test(
      tag,
    );
  const participle = /^(baked|eaten|served)/.test(tag);
  const predicate = verb ? tag : participle ? `is ${tag}` : `is a${/^[aeiou]/.test(tag) ? 'n' : ''} ${tag}`;
  const lead = random.pick(['which of these', 'which one']);
  return [askedOfTen(random, phrase(`${lead} ${predicate}`, {}), thing.name)];
}
