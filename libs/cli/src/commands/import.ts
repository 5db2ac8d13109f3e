import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { tasks, type Task } from '@mpa/answer-metrics';
import { Option, type Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { rowReaders, type ImportFormat } from '../import/formats.js';
import { importAnnotations } from '../import/import-annotations.js';
import { openProgress } from '../progress/progress.js';

interface ImportFlags {
  readonly format: ImportFormat;
  readonly task: Task;
  readonly imageRoot: string;
  readonly out: string;
  readonly json?: boolean;
}

/** Rows between two signs of life. */
const SHOW_EVERY = 10_000;

/** `mpa import`: begins a run with questions and answers that were written elsewhere. */
export function addImport(program: Command, context: CommandContext): void {
  program
    .command('import')
    .description('begin a run with questions and answers from elsewhere; mpa align goes on with it')
    .argument('<file>', 'annotations: a JSON list, or a JSON object a line')
    .addOption(
      new Option('--format <name>', 'how they are written').choices(Object.keys(rowReaders)).makeOptionMandatory(),
    ) // prettier-ignore
    .addOption(new Option('--task <task>', 'what they are about').choices(tasks).makeOptionMandatory())
    .requiredOption('--image-root <dir>', 'folder of the images')
    .requiredOption('--out <run>', 'folder of the run, which must not be there yet')
    .option('--json', 'print the counts as one JSON object')
    .action((file: string, flags: ImportFlags) => importFile(resolve(file), flags, context));
}

async function importFile(file: string, flags: ImportFlags, { out, stderr, signal }: CommandContext): Promise<void> {
  const { format, task } = flags;
  const [imageRoot, run] = [resolve(flags.imageRoot), resolve(flags.out)];
  if (existsSync(run)) throw new CliError(`${run} is there already; give another --out`);
  if (!(await isFolder(imageRoot))) throw new CliError(`there is no folder ${imageRoot}; give the right --image-root`);
  const progress = openProgress(stderr);
  try {
    const onRow = (row: number): void => void (row % SHOW_EVERY === 0 && progress.note(`${row} rows read`));
    const counts = await importAnnotations({ file, format, task, imageRoot, run, signal, onRow });
    const { rows, questions, selfChecked, leftOut } = counts;
    if (flags.json) return out(JSON.stringify({ run, ...counts }));
    const reasons = Object.entries(leftOut).map(([reason, n]) => `${reason} ${n}`);
    out(`rows       ${rows}`);
    out(`questions  ${questions}, ${selfChecked} of them with a self-check in the file`);
    if (reasons.length > 0) out(`left out   ${reasons.join(', ')}`);
    out(`run        ${run}; mpa align --out goes on with it`);
  } finally {
    progress.close();
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
