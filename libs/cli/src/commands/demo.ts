import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tasks } from '@mpa/answer-metrics';
import { writeWorld } from '@mpa/benchmarks';
import { describeCheckpoint } from '@mpa/vlm';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';
import { alignConfigSchema } from '../pipeline/align-config.js';
import type { TaskSource } from '../pipeline/pipeline-options.js';
import { openProgress } from '../progress/progress.js';
import { levelStudent } from './level-student.js';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));

/** The committed starter models. */
const starters = {
  teacher: join(repository, 'libs/benchmarks/models/starter-large'),
  student: join(repository, 'libs/benchmarks/models/starter-small'),
};

/** Images drawn for each task: unlabeled ones to learn from, and labelled ones to measure with. */
const DRAWN = { train: 110, test: 20 } as const;

interface DemoFlags {
  readonly out: string;
  readonly seed: number;
  readonly json?: boolean;
}

/** Of what was tried on other images (docs/starter-models.md), what does the starter S-VLM the least harm. */
const TRAINING = {
  trainable: { kind: 'named', pattern: 'text_model.*mlp' },
  learningRate: 2e-4,
  epochs: 4,
  batch: 16,
} as const;

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
  for (const model of Object.values(starters)) await describeCheckpoint(model);
  const run = join(resolve(out), `demo-${seed}`);
  const sources = await drawSources(`${run}-images`, seed, context);
  const config = alignConfigSchema.parse({ trainer: { training: { ...TRAINING, seed } } });
  await levelStudent({ run, sources, ...starters, config, endpoints: {} }, json === true, context);
}

async function drawSources(folder: string, seed: number, { stderr, signal }: CommandContext): Promise<TaskSource[]> {
  const progress = openProgress(stderr);
  const stage = progress.stage('draw', tasks.length * (DRAWN.train + DRAWN.test));
  const sources: TaskSource[] = [];
  let drawn = 0;
  const onProgress = (): void => stage.update(++drawn);
  try {
    for (const task of tasks) {
      const draw = (split: 'train' | 'test'): ReturnType<typeof writeWorld> =>
        writeWorld({ task, split, count: DRAWN[split], seed, out: join(folder, task, split), signal, onProgress });
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
