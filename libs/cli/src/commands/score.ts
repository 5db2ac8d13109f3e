import { createInterface } from 'node:readline';
import { bootstrapInterval, mean, metricNames, MetricError, score } from '@mpa/answer-metrics';
import type { MetricName } from '@mpa/answer-metrics';
import { Option, type Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';

interface ScoreFlags {
  readonly metric: MetricName;
}

/** A line of `mpa score`: what one prediction is worth, or why that cannot be said. */
type Scored = { readonly score: number } | { readonly score: null; readonly error: string };

/** `mpa score`: predictions against their answers, one JSON object a line on standard input, one on standard output. */
export function addScore(program: Command, context: CommandContext): void {
  program
    .command('score')
    .description(`score predictions by a benchmark's metric: lines {"prediction", "answers"} in, lines {"score"} out`)
    .addOption(new Option('--metric <name>', 'the metric').choices([...metricNames]).makeOptionMandatory())
    .action(({ metric }: ScoreFlags) => scoreLines(metric, context));
}

async function scoreLines(metric: MetricName, { out, stdin, stderr, signal }: CommandContext): Promise<void> {
  const scores: number[] = [];
  let failed = 0;
  for await (const line of createInterface({ input: stdin, crlfDelay: Infinity, signal })) {
    if (line.trim() === '') continue;
    const scored = scoreLine(metric, line);
    if (scored.score === null) failed += 1;
    else scores.push(scored.score);
    out(JSON.stringify(scored));
  }
  signal.throwIfAborted();
  if (failed > 0) stderr.write(`${failed} of ${failed + scores.length} lines could not be scored and are left out\n`);
  if (scores.length === 0) throw new CliError('nothing was scored: give lines {"prediction": ..., "answers": [...]}');
  const { low, high } = bootstrapInterval(scores);
  const [average, from, to] = [mean(scores), low, high].map((value) => value.toFixed(6));
  stderr.write(`${metric}: mean ${average}, 95 % interval ${from} to ${to}, n ${scores.length}\n`);
}

function scoreLine(metric: MetricName, line: string): Scored {
  try {
    // The metric checks what they are.
    const read = JSON.parse(line) as { readonly prediction: string; readonly answers: readonly string[] } | null;
    if (typeof read !== 'object' || read === null) throw new MetricError('the line is not a JSON object');
    return { score: score(metric, read.prediction, read.answers) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof MetricError) return { score: null, error: error.message };
    throw error;
  }
}
