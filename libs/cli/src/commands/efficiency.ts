import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { modelConfig } from '@mpa/inference';
import type { Precision } from '@mpa/onnx';
import { ImageStore } from '@mpa/storage';
import { Option, type Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { batchSizes, measureEfficiency } from '../efficiency/measure-efficiency.js';
import type { BatchSize, Efficiency } from '../efficiency/measure-efficiency.js';
import { labelled } from '../labelled.js';
import { wholeNumber } from '../option-values.js';
import { openProgress } from '../progress/progress.js';

interface EfficiencyFlags {
  readonly model: readonly string[];
  readonly images: string;
  readonly question: string;
  readonly rounds: number;
  readonly precision: Precision;
  readonly maxTokens: number;
  readonly json?: boolean;
}

/** Images that the measurement goes through. */
const IMAGES = 32;

/** `mpa efficiency`: what models cost, measured in turn in one run. */
export function addEfficiency(program: Command, context: CommandContext): void {
  program
    .command('efficiency')
    .description('measure what models cost, in turn: parameters, FLOPs, memory, latency, answers per second')
    .requiredOption('--model <dir...>', 'checkpoint folders, or label=folder; speeds are compared with the first')
    .requiredOption('--images <dir|glob>', 'images to answer on: the first 32')
    .option('--question <text>', 'what is asked about each', 'What does the sign say?')
    .option('--rounds <n>', 'times that each model answers a batch of 1 and of 8', wholeNumber(1), 20)
    .addOption(
      new Option('--precision <precision>', 'how weights are stored')
        .choices(['float32', 'int8', 'int4'])
        .default('float32'),
    )
    .option('--max-tokens <n>', 'most tokens of an answer', wholeNumber(1), 24)
    .option('--json', 'print the result as one JSON object')
    .action((flags: EfficiencyFlags) => efficiency(flags, context));
}

async function efficiency(flags: EfficiencyFlags, context: CommandContext): Promise<void> {
  const { out, stderr, signal, cacheDirectory } = context;
  const { precision, rounds, question, maxTokens } = flags;
  const settings = { cacheDir: join(cacheDirectory, 'graphs'), precision, maxNewTokens: maxTokens };
  const models = new Map(
    [...labelled(flags.model)].map(([label, checkpoint]) => [label, modelConfig.parse({ ...settings, checkpoint })]),
  );
  const images = await firstImages(resolve(flags.images), signal);
  const progress = openProgress(stderr);
  try {
    const stage = progress.stage('measure', rounds);
    const found = await measureEfficiency({ models, images, question, rounds, stage, signal });
    stage.end();
    progress.close();
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memory: totalmem() };
    const retained = retainedBy(found);
    if (flags.json) {
      return out(JSON.stringify({ machine, precision, rounds, models: Object.fromEntries(found), retained }));
    }
    out(`${machine.cores} cores of ${machine.cpu}, ${precision}, ${rounds} rounds`);
    for (const line of efficiencyTable(found)) out(line);
    for (const [label, { 1: alone, 8: batched }] of Object.entries(retained)) {
      out(`${label}: ${percent(alone)} of the first model's answers per second at batch 1, ${percent(batched)} at batch 8`); // prettier-ignore
    }
  } finally {
    progress.close();
  }
}

async function firstImages(source: string, signal: AbortSignal): Promise<string[]> {
  const images: string[] = [];
  for await (const image of new ImageStore().list(source, { signal })) {
    if (image.kind === 'image') images.push(image.uri);
    if (images.length === IMAGES) break;
  }
  if (images.length === 0) throw new CliError(`no usable image in ${source}`);
  return images;
}

/** Answers per second against the first model's, by label and batch size; of all but the first. */
function retainedBy(found: ReadonlyMap<string, Efficiency>): Record<string, Record<BatchSize, number>> {
  const [first, ...others] = [...found];
  const ratio = (speed: Efficiency['speed'], size: BatchSize): number =>
    speed[size].answersPerSecond / first![1].speed[size].answersPerSecond;
  return Object.fromEntries(others.map(([label, { speed }]) => [label, { 1: ratio(speed, 1), 8: ratio(speed, 8) }]));
}

function efficiencyTable(found: ReadonlyMap<string, Efficiency>): string[] {
  const rows: (readonly [string, (one: Efficiency) => string])[] = [
    ['parameters', ({ parameters }) => parameters.toLocaleString('en')],
    ['MFLOPs per answer', ({ flopsPerAnswer: f }) => ((f.vision + f.prefill + f.decode) / 1e6).toFixed(1)],
    ['  vision', ({ flopsPerAnswer: f }) => (f.vision / 1e6).toFixed(1)],
    ['  prefill', ({ flopsPerAnswer: f }) => (f.prefill / 1e6).toFixed(1)],
    ['  decode', ({ flopsPerAnswer: f }) => (f.decode / 1e6).toFixed(1)],
    ['tokens per answer', ({ answerTokens }) => answerTokens.toFixed(1)],
    ['peak memory, MB', ({ peakMemory }) => (peakMemory / 1e6).toFixed(0)],
    ...batchSizes.flatMap((size): (readonly [string, (one: Efficiency) => string])[] => [
      [`batch ${size}: p50, ms`, ({ speed }) => speed[size].p50.toFixed(1)],
      [`batch ${size}: p95, ms`, ({ speed }) => speed[size].p95.toFixed(1)],
      [`batch ${size}: answers/s`, ({ speed }) => speed[size].answersPerSecond.toFixed(1)],
    ]),
  ];
  const width = Math.max(12, ...[...found.keys()].map((label) => label.length + 2));
  const line = (name: string, cells: readonly string[]): string =>
    name.padEnd(22) + cells.map((cell) => cell.padStart(width)).join('');
  return [line('', [...found.keys()]), ...rows.map(([name, cell]) => line(name, [...found.values()].map(cell)))];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
