import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Observation, Scenario } from './scenario.js';

/** A scenario and what came of it. */
export interface Row extends Pick<Scenario, 'name' | 'title'> {
  /** Why it was not run. */
  readonly notRun?: string;
  readonly observation?: Observation;
  /** From its beginning to its end. */
  readonly seconds: number;
}

/** Passed only if all faults were injected, the run got over all of them, and nothing was lost, doubled or otherwise. */
export function verdictOf({ observation }: Row): 'passed' | 'failed' | 'not run' {
  if (!observation) return 'not run';
  const { lost, duplicated, problems } = observation;
  return lost === 0 && duplicated === 0 && problems.length === 0 ? 'passed' : 'failed';
}

/** The machine, in words. */
export function machine(): string {
  return `${cpus()[0]!.model.trim()}, ${availableParallelism()} threads, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}

/** Says on standard error how a scenario went, as soon as it is over. */
export function printRow(row: Row): void {
  const { name, seconds, notRun, observation } = row;
  const why =
    notRun ?? [...(observation?.problems ?? []), ...(observation?.remark ? [observation.remark] : [])].join('; ');
  process.stderr.write(`${name}: ${verdictOf(row)} after ${seconds.toFixed(0)} s${why && `: ${why}`}\n`);
}

const HEAD = ['fault', 'injected', 'recovered', 'lost', 'duplicated', 'seconds to recover', ''];

/** Prints all scenarios as a table that is Markdown too. */
export function printTable(rows: readonly Row[]): void {
  const lines = rows.map((row) => [row.title, ...figuresOf(row), row.notRun ? `not run: ${row.notRun}` : verdictOf(row)]); // prettier-ignore
  const widths = HEAD.map((head, i) => Math.max(head.length, ...lines.map((line) => line[i]!.length)));
  const print = (cells: readonly string[]): void =>
    console.log(`| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`);
  console.log(machine());
  print(HEAD);
  print(widths.map((width) => '-'.repeat(width)));
  lines.forEach(print);
}

function figuresOf({ observation }: Row): string[] {
  if (!observation) return ['', '', '', '', ''];
  const { injected, recovered, lost, duplicated } = observation;
  return [...[injected, recovered.length, lost, duplicated].map(String), spanOf(recovered)];
}

/** Median and longest. */
function spanOf(seconds: readonly number[]): string {
  if (seconds.length === 0) return '';
  const sorted = [...seconds].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)]!;
  const longest = sorted.at(-1)!;
  return seconds.length === 1 ? median.toFixed(1) : `${median.toFixed(1)}, at most ${longest.toFixed(1)}`;
}
