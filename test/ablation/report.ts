import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tasks } from '@mpa/answer-metrics';
import { format, resolveConfig } from 'prettier';
import { barPlot, curvePlot } from './plots.js';
import type { Estimate } from './plots.js';
import { meanOf } from './results.js';
import type { Result, Results } from './results.js';
import { rows } from './rows.js';
import { meanAndInterval } from './statistics.js';
import { CANDIDATES, MEASURES, NOISE, SWEPT } from './study.js';

/** The rows in the order of the table. */
const NAMES: readonly (readonly [key: string, what: string])[] = [
  ['teacher', 'the L-VLM'],
  ['a', 'no training'],
  ...rows.map(({ key, what }) => [key, what] as const),
  ['i', 'logit distillation on the samples of d'],
  ['j', 'd, then a second round'],
];
const byKey = NAMES.toSorted(([a], [b]) => (a === 'teacher' ? -1 : b === 'teacher' ? 1 : a < b ? -1 : 1));

/**
 * Writes the tables into `folder/results.md`, between the comments that name them, what they were made of into
 * `folder/results.jsonl`, and the plots into `folder/images`. `count` is the largest number of unlabeled images. What has fewer than two seeds has no interval and is left out.
 */
export async function report(results: Results, count: number, folder: string): Promise<void> {
  const path = join(folder, 'results.md');
  const before = await readFile(path, 'utf8');
  const made = tables(results, count);
  const after = Object.entries(made).reduce((text, [name, table]) => replaced(text, name, table), before);
  await writeFile(path, await format(after, { ...(await resolveConfig(path)), filepath: path }));
  const images = join(folder, 'images');
  await mkdir(images, { recursive: true });
  const bars = byKey.filter(([key]) => key !== 'teacher' && key !== 'a');
  const known = bars.flatMap(([key, what]) => estimate(`${key}  ${what}`, change(results, results.of('rows', key))));
  await writeFile(join(images, 'ablation.png'), barPlot(known));
  const swept = SWEPT.flatMap((share) =>
    estimate(count * share, change(results, results.of('sweep', String(count * share)))),
  );
  await writeFile(join(folder, 'results.jsonl'), results.all.map((result) => `${JSON.stringify(result)}\n`).join(''));
  await writeFile(join(images, 'sweep.png'), curvePlot('unlabeled images', { levelled: swept }, 'logarithmic'));
}

function tables(results: Results, count: number): Record<string, string> {
  const header = ['', '', 'samples', 'mean', 'change', ...tasks];
  const rowsTable = byKey.map(([key, what]) => {
    const found = results.of('rows', key);
    const values = found.map((result) => 100 * meanOf(result));
    const cells = tasks.map((task) =>
      signed(average(found.map((r) => 100 * (r.accuracy[task] - base(results, r).accuracy[task])))),
    );
    return [
      key === 'teacher' ? '' : key,
      what,
      samplesOf(found),
      written(values),
      signedly(change(results, found)),
      ...cells,
    ];
  });
  const validation = ['no training', ...CANDIDATES.map(([row]) => row)].map((row) => {
    const [result] = results.of('validation', row);
    const cells = result ? tasks.map((task) => (100 * result.accuracy[task]).toFixed(1)) : [];
    return [row, result ? (100 * meanOf(result)).toFixed(1) : '', ...cells];
  });
  const sweep = SWEPT.map((share) => {
    const found = results.of('sweep', String(count * share));
    return [String(count * share), samplesOf(found), signedly(change(results, found))];
  });
  const noise = [0, ...NOISE].map((share) => {
    const of = (name: string, row: string): readonly Result[] =>
      share === 0 ? results.of('rows', row) : results.of('noise', `${name} ${share}`);
    const cells = [of('unchecked', 'b'), of('checked', 'd')].flatMap((found) => [
      `${average(found.map(({ wrong = 0, samples }) => (100 * wrong) / samples)).toFixed(1)} %`,
      signedly(change(results, found)),
    ]);
    return [`${(100 * share).toFixed(0)} %`, ...cells];
  });
  const annotations = ['all', 'confirmed by the self-check', 'parity gap'].map((row) => {
    const found = results.of('annotations', row);
    const cells = tasks.map((task) => `${average(found.map((r) => 100 * r.accuracy[task])).toFixed(1)} %`);
    return [row, samplesOf(found), ...cells];
  });
  const discrepancies = MEASURES.map((measure) => {
    const cells = ['agrees', 'differs', 'tells apart'].map((row) =>
      average(results.of('discrepancies', `${measure} ${row}`).map(meanOf)).toFixed(2),
    );
    return [measure, ...cells];
  });
  return {
    discrepancies: table(['', 'S-VLM gives the answer', 'it does not', 'tells the two apart'], discrepancies),
    annotations: table(['', 'judged', ...tasks], annotations),
    rows: table(header, rowsTable),
    validation: table(['', 'mean', ...tasks], validation),
    sweep: table(['unlabeled images', 'samples', 'change'], sweep),
    noise: table(['wrong on purpose', 'wrong in b', 'b, change', 'wrong in d', 'd, change'], noise),
  };
}

function base(results: Results, { seed }: Result): Result {
  return results.of('rows', 'a').find((result) => result.seed === seed)!;
}

/** Difference to the same seed's row a, in points. */
function change(results: Results, found: readonly Result[]): number[] {
  return found.map((result) => 100 * (meanOf(result) - meanOf(base(results, result))));
}

function estimate<K>(key: K, values: readonly number[]): (readonly [K, Estimate])[] {
  return values.length > 1 ? [[key, meanAndInterval(values)]] : [];
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function samplesOf(found: readonly Result[]): string {
  return average(found.map(({ samples }) => samples)).toFixed(0);
}

function written(values: readonly number[]): string {
  if (values.length < 2) return average(values).toFixed(1);
  const { mean, half } = meanAndInterval(values);
  return `${mean.toFixed(1)} ± ${half.toFixed(1)}`;
}

function signedly(values: readonly number[]): string {
  return values.every((value) => value === 0) ? '' : `${average(values) < 0 ? '' : '+'}${written(values)}`;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(1)}`;
}

function table(header: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...body.map(line)].join('\n');
}

function replaced(text: string, name: string, table: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < 0) throw new Error(`results.md lacks the comments ${start} and ${end}`);
  return `${text.slice(0, from)}${start}\n\n${table}\n\n${text.slice(to)}`;
}
