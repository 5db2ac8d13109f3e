import type { Colour } from './colours.js';
import type { Random } from './random.js';
import type { Split } from './split.js';
import { drawNumber, drawWord } from './vocabulary.js';

/** The kinds of chart that are drawn. */
export type ChartKind = 'bar' | 'horizontalBar' | 'line' | 'pie' | 'doughnut';

/** What a chart shows: one value for each label. */
export interface ChartData {
  kind: ChartKind;
  title?: string;
  /** What a label is: "year", "month", "quarter" or "category". */
  labelKind: 'year' | 'month' | 'quarter' | 'category';
  labels: string[];
  values: number[];
  /** Whether each mark has its value written on it; otherwise there is an axis and values lie on its lines or midway. */
  printed: boolean;
  /** One for each mark, or a single one for all. */
  colours: Colour[];
}

const KINDS: readonly ChartKind[] = ['bar', 'bar', 'bar', 'horizontalBar', 'horizontalBar', 'line', 'pie', 'doughnut'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** How many digits values have, and the least of them as a share of what such numbers can be. */
const DIGITS = { bar: [2, 3, 3], horizontalBar: [2, 3, 4], line: [2, 3, 3], pie: [2, 3], doughnut: [2] } as const;
const LEAST = { bar: 0.12, horizontalBar: 0.12, line: 0.12, pie: 0.3, doughnut: 0.3 } as const;

/** Chooses a chart's content; words and printed values are the split's own, years and months are everybody's. */
export function drawChartData(random: Random, split: Split, colours: (count: number) => Colour[]): ChartData {
  const kind = random.pick(KINDS);
  const round = kind === 'pie' || kind === 'doughnut';
  const printed = kind !== 'bar' || random.chance(0.8);
  const count = round || !printed ? random.int(2, 3) : random.int(2, 4);
  const many = round || (kind !== 'line' && random.chance(0.55));
  const { labelKind, labels } = drawLabels(random, split, kind, count);
  return {
    kind,
    ...(!round && random.chance(0.35) ? { title: capitalised(drawWord(random, split, 4, 7)) } : {}),
    labelKind,
    labels,
    values: printed ? drawValues(random, split, count, kind) : drawLevels(random, count),
    printed,
    colours: colours(many ? count : 1),
  };
}

function drawLabels(
  random: Random,
  split: Split,
  kind: ChartKind,
  count: number,
): Pick<ChartData, 'labelKind' | 'labels'> {
  const roll = random.real();
  if (kind === 'line' || roll < 0.25) {
    const first = random.int(1990, 2024 - count);
    const step = random.chance(0.8) ? 1 : 2;
    return { labelKind: 'year', labels: Array.from({ length: count }, (_, i) => String(first + i * step)) };
  }
  if (roll < 0.35) {
    const first = random.int(0, 12 - count);
    return { labelKind: 'month', labels: MONTHS.slice(first, first + count) };
  }
  if (roll < 0.42) return { labelKind: 'quarter', labels: ['Q1', 'Q2', 'Q3', 'Q4'].slice(0, count) };
  const longest = kind === 'bar' ? ([7, 7, 7, 5, 4][count] ?? 4) : kind === 'horizontalBar' || count === 2 ? 6 : 5;
  const labels = new Set<string>();
  while (labels.size < count) labels.add(drawWord(random, split, 3, longest));
  return { labelKind: 'category', labels: [...labels].map(capitalised) };
}

/** Different numbers of alike size, so that marks differ but none vanishes. */
function drawValues(random: Random, split: Split, count: number, kind: ChartKind): number[] {
  const digits = random.pick(DIGITS[kind]);
  const values = new Set<number>();
  while (values.size < count) {
    const value = Number(drawNumber(random, split, digits));
    if (value > 10 ** digits * LEAST[kind]) values.add(value);
  }
  return [...values];
}

/** Different values on the lines of an axis from 0 to 100, 200 or 1000, or between them. */
function drawLevels(random: Random, count: number): number[] {
  const top = random.pick([100, 200, 1000]);
  const levels = Array.from({ length: 36 }, (_, i) => ((i + 4) * top) / 40).filter(Number.isInteger);
  return random.sample(levels, count);
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
