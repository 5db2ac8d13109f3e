import { relative, resolve } from 'node:path';
import { metricNames, MetricError } from '@mpa/answer-metrics';
import type { MetricName } from '@mpa/answer-metrics';
import { Option, type Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { compare } from '../evaluation/comparison.js';
import type { ComparedResults } from '../evaluation/comparison.js';
import { readResults } from '../evaluation/read-results.js';

interface CompareFlags {
  readonly metric?: MetricName;
  readonly json?: boolean;
}

/** `mpa compare`: kept results scored again, without a model, and whether they differ by more than chance. */
export function addCompare(program: Command, context: CommandContext): void {
  program
    .command('compare')
    .description('score kept results again, without a model, and compare every model with the first')
    .argument('<results...>', 'files of per-sample results (results.jsonl, evaluation-*.jsonl)')
    .addOption(new Option('--metric <name>', 'another metric than the benchmark\'s').choices([...metricNames]))
    .option('--json', 'print the comparison as one JSON object')
    .action((files: string[], flags: CompareFlags) => compareFiles(files.map((file) => resolve(file)), flags, context)); // prettier-ignore
}

async function compareFiles(
  files: readonly string[],
  { metric, json }: CompareFlags,
  { out }: CommandContext,
): Promise<void> {
  const read = await Promise.all(files.map(async (file) => ({ file, ...(await readResults(file)) })));
  const labels = read.flatMap(({ models }) => [...models.keys()]);
  const isTaken = (label: string): boolean => labels.indexOf(label) !== labels.lastIndexOf(label);
  const models = read.flatMap(({ file, models: own }) =>
    [...own].map(([label, results]) => ({ name: isTaken(label) ? `${relative('', file)} ${label}` : label, results })),
  );
  const compared = scored(models, metric);
  if (compared.length === 0) throw new CliError('none of the results has an answer to be scored by');
  if (json) return out(JSON.stringify({ metric: metric ?? 'as recorded', models: compared }));
  for (const line of comparisonTable(compared)) out(line);
}

function scored(...[models, metric]: Parameters<typeof compare>): ComparedResults[] {
  try {
    return compare(models, metric);
  } catch (error) {
    if (error instanceof MetricError)
      throw new CliError(`cannot score by ${metric}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The models in lines for a terminal, accuracies and differences in percent. */
export function comparisonTable(compared: readonly ComparedResults[]): string[] {
  const width = Math.max(8, ...compared.map(({ name }) => name.length));
  const percent = (value: number): string => (100 * value).toFixed(1);
  const header = `${''.padEnd(width)}  accuracy  95 % interval      n  vs first  95 % interval  McNemar p`;
  const lines = compared.map(({ name, accuracy, n, versusFirst }) => {
    const own = `${percent(accuracy.mean).padStart(8)}  ${`${percent(accuracy.low)} to ${percent(accuracy.high)}`.padStart(13)}  ${String(n).padStart(5)}`;
    if (!versusFirst) return `${name.padEnd(width)}  ${own}`;
    const { difference, mcNemar } = versusFirst;
    const signed = `${difference.mean < 0 ? '' : '+'}${percent(difference.mean)}`;
    const interval = `${percent(difference.low)} to ${percent(difference.high)}`;
    return `${name.padEnd(width)}  ${own}  ${signed.padStart(8)}  ${interval.padStart(13)}  ${mcNemar.p.toPrecision(2).padStart(9)}`;
  });
  return [header, ...lines];
}
