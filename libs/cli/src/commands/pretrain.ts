import { resolve } from 'node:path';
import { tasks } from '@mpa/answer-metrics';
import { loadTensorflow } from '@mpa/tensorflow';
import { pretrain, recipes } from '@mpa/trainer';
import type { Phase, PretrainProgress } from '@mpa/trainer';
import { Option, type Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';
import { openProgress } from '../progress/progress.js';

interface PretrainFlags {
  readonly size: 'large' | 'small';
  readonly out: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly json?: boolean;
}

/** `mpa pretrain`: trains a starter model on the drawn world, with labels; taken up again where it was stopped. */
export function addPretrain(program: Command, context: CommandContext): void {
  program
    .command('pretrain')
    .description('train a starter model on the drawn world (with labels: it is what the alignment starts from)')
    .addOption(new Option('--size <size>', 'which starter model').choices(['large', 'small']).makeOptionMandatory())
    .requiredOption('--out <dir>', 'folder of the checkpoint, its training state and its curve')
    .option('--steps <n>', 'optimizer steps (default: the recipe of the size)', wholeNumber(1))
    .option('--seed <n>', 'seed of the weights and the images (default: that of the recipe)', wholeNumber(1))
    .option('--json', 'print the last line of the curve as one JSON object')
    .action((flags: PretrainFlags) => run(flags, context));
}

async function run(flags: PretrainFlags, { out, stderr, signal, cacheDirectory }: CommandContext): Promise<void> {
  await loadTensorflow({ cacheDir: cacheDirectory });
  const recipe = recipes[flags.size];
  const phases = scaled(recipe.phases, flags.steps);
  const steps = stepsOf(phases);
  const progress = openProgress(stderr);
  let stage: ReturnType<typeof progress.stage> | undefined;
  let last: PretrainProgress | undefined;
  try {
    await pretrain({
      ...recipe,
      phases,
      seed: flags.seed ?? recipe.seed,
      out: resolve(flags.out),
      signal,
      onProgress: (line) => {
        last = line.accuracy ? line : (last ?? line);
        stage ??= progress.stage('pretrain', steps, line.step - 1);
        stage.update(line.step, describe(line));
      },
    });
    signal.throwIfAborted();
    stage?.end();
  } finally {
    progress.close();
  }
  if (flags.json) return out(JSON.stringify(last ?? {}));
  out(`checkpoint  ${resolve(flags.out)}`);
  if (last?.accuracy)
    for (const task of tasks) out(`${task.padEnd(10)}  ${percent(last.accuracy[task])} of held-out questions`);
}

function stepsOf(phases: readonly Phase[]): number {
  return phases.reduce((sum, phase) => sum + phase.steps, 0);
}

/** The phases, shortened or lengthened in proportion to `steps` in all, to one step each at least. */
function scaled(phases: readonly Phase[], steps = stepsOf(phases)): readonly Phase[] {
  const factor = steps / stepsOf(phases);
  let planned = 0;
  let end = 0;
  return phases.map((phase) => {
    planned += phase.steps * factor;
    const begin = end;
    end = Math.max(begin + 1, Math.round(planned));
    return { ...phase, steps: end - begin };
  });
}

function describe({ loss, auxiliaryLoss, accuracy }: PretrainProgress): string {
  const checked = accuracy ? `, ${tasks.map((task) => `${task} ${percent(accuracy[task])}`).join(', ')}` : '';
  return `loss ${loss.toFixed(2)}, glyphs ${auxiliaryLoss.toFixed(2)}${checked}`;
}

function percent(share = 0): string {
  return `${Math.round(100 * share)} %`;
}
