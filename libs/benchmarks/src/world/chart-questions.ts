import { asked, phrase } from './asking.js';
import type { ChartData, ChartKind } from './chart-data.js';
import type { DrawnQuestion } from './drawn-sample.js';
import type { Random } from './random.js';

const MARK: Readonly<Record<ChartKind, string>> = {
  bar: 'bar',
  horizontalBar: 'bar',
  line: 'point',
  pie: 'slice',
  doughnut: 'segment',
};

const VALUE_OF = ['what is the value of {label}', 'what is the value for {label}', 'how much is {label}', 'what value does {label} have', 'what number is shown for {label}'] as const; // prettier-ignore
const VALUE_IN = ['what was the value in {label}', 'what is the value in {label}', 'how much was it in {label}', 'what is the value of the year {label}'] as const; // prettier-ignore
const HIGHEST = [
  'which {kind} has the highest value',
  'which {kind} has the largest {mark}',
  'what {kind} is the highest',
] as const;
const LOWEST = [
  'which {kind} has the lowest value',
  'which {kind} has the smallest {mark}',
  'what {kind} is the lowest',
] as const;

/** Four to six questions about a chart, mostly to be read off it. */
export function chartQuestions(random: Random, data: ChartData): DrawnQuestion[] {
  const makers = [
    ...Array<typeof value>(4).fill(value),
    extreme,
    extreme,
    labelOfValue,
    extremeValue,
    count,
    colour,
    colour,
    arithmetic,
  ];
  const questions = new Map<string, DrawnQuestion>();
  for (let i = random.int(6, 8); i > 0 && questions.size < 6; i--) {
    const made = random.pick(makers)(random, data);
    if (made) questions.set(made.question, made);
  }
  while (questions.size < 3) {
    const made = value(random, data);
    questions.set(made.question, made);
  }
  return [...questions.values()];
}

function value(random: Random, { labels, values, labelKind }: ChartData): DrawnQuestion {
  const i = random.int(0, labels.length - 1);
  const templates = labelKind === 'year' ? VALUE_IN : VALUE_OF;
  return asked(phrase(random.pick(templates), { label: labels[i] ?? '' }), String(values[i]));
}

function extreme(random: Random, { kind, labels, values, labelKind }: ChartData): DrawnQuestion {
  const highest = random.chance(0.6);
  const at = values.indexOf(highest ? Math.max(...values) : Math.min(...values));
  const template = random.pick(highest ? HIGHEST : LOWEST);
  return asked(phrase(template, { kind: labelKind, mark: MARK[kind] }), (labels[at] ?? '').toLowerCase());
}

function extremeValue(random: Random, { values }: ChartData): DrawnQuestion {
  const highest = random.chance(0.6);
  const answer = highest ? Math.max(...values) : Math.min(...values);
  const size = highest
    ? random.pick(['highest', 'largest', 'maximum'])
    : random.pick(['lowest', 'smallest', 'minimum']);
  return asked(phrase('what is the {size} value', { size }), String(answer));
}

function labelOfValue(random: Random, { labels, values, labelKind, printed }: ChartData): DrawnQuestion | undefined {
  if (!printed) return undefined;
  const i = random.int(0, labels.length - 1);
  const template = random.pick(['which {kind} has a value of {value}', 'which {kind} shows {value}']);
  return asked(phrase(template, { kind: labelKind, value: String(values[i]) }), (labels[i] ?? '').toLowerCase());
}

function count(_: Random, { kind, labels }: ChartData): DrawnQuestion {
  return asked(phrase('how many {mark}s are there', { mark: MARK[kind] }), String(labels.length));
}

function colour(random: Random, { kind, labels, values, colours }: ChartData): DrawnQuestion | undefined {
  const mark = MARK[kind];
  const i = random.int(0, labels.length - 1);
  if (colours.length === 1) {
    const what = kind === 'line' ? 'line' : `${mark}s`;
    return asked(phrase(`what color ${kind === 'line' ? 'is' : 'are'} the {what}`, { what }), colours[0]?.name ?? '');
  }
  const slots = { mark, label: labels[i] ?? '', colour: colours[i]?.name ?? '' };
  switch (random.int(0, 2)) {
    case 0:
      return asked(phrase('what is the value of the {colour} {mark}', slots), String(values[i]));
    case 1:
      return asked(phrase('what color is the {mark} of {label}', slots), slots.colour);
    default:
      return asked(phrase('which category does the {colour} {mark} show', slots), slots.label.toLowerCase());
  }
}

function arithmetic(random: Random, { labels, values, printed }: ChartData): DrawnQuestion | undefined {
  const [i = 0, j = 1] = random.sample(
    labels.map((_, index) => index),
    2,
  );
  const [a = 0, b = 0] = [values[i], values[j]];
  if (!printed || Math.max(a, b) > 99) return undefined;
  const slots = { a: labels[i] ?? '', b: labels[j] ?? '' };
  return random.chance(0.5)
    ? asked(phrase('what is the difference between {a} and {b}', slots), String(Math.abs(a - b)))
    : asked(phrase('what is the sum of {a} and {b}', slots), String(a + b));
}
