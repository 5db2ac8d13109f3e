import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tasks } from '@mpa/answer-metrics';
import { writeWorld } from '@mpa/benchmarks';
import { describeCheckpoint } from '@mpa/vlm';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';
import { demonstration } from '../demonstration.js';
import { alignConfigSchema } from '../pipeline/align-config.js';
import type { TaskSource } from '../pipeline/pipeline-options.js';
import { openProgress } from '../progress/progress.js';
import { levelStudent } from './level-student.js';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));

interface DemoFlags {
  readonly out: string;
  readonly seed: number;
  readonly json?: boolean;
}

/** `mpa demo`: the whole job on drawn images of all four tasks, with the starter models. */
export function addDemo(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description('level the starter models on drawn images of all four tasks')
    .option('--out <dir>', 'folder of runs; each seed has its own in it', join(repository, 'runs'))
    .option('--seed <n>', 'seed of the images and of the training', wholeNumber(1), 1)
    .option('--json', 'print the result as one JSON object')
    .action((flags: DemoFlags) => demo(flags, context));
}

async function demo({ out, seed, json }: DemoFlags, context: CommandContext): Promise<void> {
  const { teacher, student, annotator, parity, training } = demonstration;
  for (const model of [teacher, student]) await describeCheckpoint(model);
  const run = join(resolve(out), `demo-${seed}`);
  const sources = await drawSources(`${run}-images`, seed, context);
  const config = alignConfigSchema.parse({
    annotator: { ...annotator, seed },
    parity,
    trainer: { training: { ...training, seed } },
  });
  await levelStudent({ run, sources, teacher, student, config, endpoints: {} }, json === true, context);
}

async function drawSources(folder: string, seed: number, { stderr, signal }: CommandContext): Promise<TaskSource[]> {
  const { drawn } = demonstration;
  const progress = openProgress(stderr);
  const stage = progress.stage('draw', tasks.length * (drawn.train + drawn.test));
  const sources: TaskSource[] = [];
  let done = 0;
  const onProgress = (): void => stage.update(++done);
  try {
    for (const task of tasks) {
      const draw = (split: 'train' | 'test'): ReturnType<typeof writeWorld> =>
        writeWorld({ task, split, count: drawn[split], seed, out: join(folder, task, split), signal, onProgress });
      const [unlabeled, labelled] = [await draw('train'), await draw('test')];
      sources.push({
        task,
        images: unlabeled.imageFolder,
        eval: { annotations: labelled.annotations!, images: labelled.imageFolder },
      });
    }
    stage.end();
    return sources;
  } finally {
    progress.close();
  }
}
