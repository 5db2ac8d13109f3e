import { TASKS, writeWorld } from '@mpa/benchmarks';
import type { Split, Task } from '@mpa/benchmarks';
import { Option, type Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';
import { openProgress } from '../progress/progress.js';

interface WorldFlags {
  readonly task: Task;
  readonly split: Split;
  readonly count: number;
  readonly seed: number;
  readonly out: string;
  readonly sheet?: boolean;
  readonly json?: boolean;
}

/** `mpa world`: draws images of a task; for the test split also questions and answers in the benchmark's own schema. */
export function addWorld(program: Command, context: CommandContext): void {
  program
    .command('world')
    .description('draw images of a task, and for the test split their questions and answers')
    .addOption(new Option('--task <task>', 'benchmark to draw for').choices(TASKS).makeOptionMandatory())
    .addOption(new Option('--split <split>', 'half of the world').choices(['train', 'test']).makeOptionMandatory())
    .requiredOption('--count <n>', 'number of images', wholeNumber(1))
    .requiredOption('--out <dir>', 'folder to write into')
    .option('--seed <n>', 'seed of the drawing', wholeNumber(1), 1)
    .option('--sheet', 'write a contact sheet of the first images too')
    .option('--json', 'print what was written as one JSON object')
    .action((flags: WorldFlags) => world(flags, context));
}

async function world({ json, ...options }: WorldFlags, { out, stderr, signal }: CommandContext): Promise<void> {
  const progress = openProgress(stderr);
  const stage = progress.stage('draw', options.count);
  try {
    const written = await writeWorld({ ...options, signal, onProgress: (done) => stage.update(done) });
    stage.end();
    if (json) return out(JSON.stringify(written));
    out(`images       ${written.imageFolder} (${written.written} drawn, ${written.kept} there already)`);
    if (written.annotations) out(`annotations  ${written.annotations} (${written.questions} questions)`);
    if (written.sheet) out(`sheet        ${written.sheet}`);
  } finally {
    progress.close();
  }
}
