import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { openRunFolder, runPaths, type RunFolder } from '@mpa/storage';
import { openEmbeddedStreams } from '@mpa/streams';
import { Option, type Command } from 'commander';
import { CliError, UsageError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { datasetFormats, exportDataset, type DatasetFormatName } from '../export/export-dataset.js';
import { exportAdapter, exportHuggingFace, exportOnnx } from '../export/export-model.js';
import { readRunState } from '../pipeline/run-state.js';
import { studentFolder } from '../pipeline/train-student.js';
import { openProgress } from '../progress/progress.js';

const MODEL_FORMATS = ['hf', 'onnx'] as const;
type Format = (typeof MODEL_FORMATS)[number] | DatasetFormatName;

interface ExportFlags {
  readonly format: Format;
  readonly out: string;
  readonly adapter?: boolean;
  readonly all?: boolean;
  readonly copyImages?: boolean;
  readonly json?: boolean;
}

/** Samples between two signs of life. */
const SHOW_EVERY = 10_000;

/** `mpa export`: what came of a run, for other programs: the levelled model, or the samples that it learnt from. */
export function addExport(program: Command, context: CommandContext): void {
  program
    .command('export')
    .description('write the levelled model or the parity set of a run for other programs')
    .argument('<run>', 'folder of the run')
    .addOption(
      new Option('--format <name>', 'hf and onnx are the model, the others the samples')
        .choices([...MODEL_FORMATS, ...Object.keys(datasetFormats)])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <dir>', 'folder to write, which must not be there yet')
    .option('--adapter', "with hf: the LoRA adapter alone, in PEFT's format")
    .option('--all', 'with jsonl and parquet: rejected samples too')
    .option('--copy-images', 'with samples: put the images beside them, instead of absolute paths')
    .option('--json', 'print what was written as one JSON object')
    .action((run: string, flags: ExportFlags) => exportRun(run, flags, context));
}

async function exportRun(run: string, flags: ExportFlags, context: CommandContext): Promise<void> {
  checkFlags(flags);
  const { format, json } = flags;
  const [paths, folder] = [runPaths(run), resolve(flags.out)];
  if (existsSync(folder)) throw new CliError(`${folder} is there already; give another --out`);
  if (!existsSync(paths.state)) throw new CliError(`${paths.folder} is not the folder of a run: it has no state.json`);
  const opened = await openRunFolder(run);
  try {
    if (isModelFormat(format)) {
      const { steps } = await exportModel(opened, folder, format, flags.adapter === true);
      if (json) return context.out(JSON.stringify({ out: folder, format, steps }));
      const name = format === 'onnx' ? 'graphs' : flags.adapter ? 'adapter' : 'model';
      context.out(`${name.padEnd(11)}levelled in ${steps} steps`);
    } else {
      const counts = await exportSamples(opened, folder, format, flags, context);
      if (json) return context.out(JSON.stringify({ out: folder, format, ...counts }));
      const rejected = flags.all ? `, ${counts.rejected} rejected` : '';
      const leftOut = Object.entries(counts.leftOut).map(([reason, n]) => `, left out: ${reason} ${n}`);
      context.out(`samples    ${counts.selected} selected${rejected}${leftOut.join('')}`);
    }
    context.out(`written    ${folder}`);
  } finally {
    await opened.close();
  }
}

function checkFlags({ format, adapter, all, copyImages }: ExportFlags): void {
  if (adapter && format !== 'hf') throw new UsageError('--adapter belongs to --format hf');
  if (isModelFormat(format)) {
    if (all || copyImages)
      throw new UsageError(`--all and --copy-images are about samples: --format ${format} has none`);
  } else if (all && !datasetFormats[format].tellsDecisions) {
    throw new UsageError(`--format ${format} cannot tell that a sample was rejected: give jsonl or parquet with --all`);
  }
}

function isModelFormat(format: Format): format is (typeof MODEL_FORMATS)[number] {
  return MODEL_FORMATS.some((name) => name === format);
}

async function exportModel(
  paths: RunFolder,
  folder: string,
  format: (typeof MODEL_FORMATS)[number],
  adapter: boolean,
): Promise<{ readonly steps: number }> {
  const { training } = await readRunState(paths);
  if (!training) throw new CliError(`${paths.folder} is not trained yet; run its mpa align to the end`);
  const { steps } = training;
  const checkpoint = studentFolder(paths);
  if (steps === 0) throw new CliError(`${paths.folder} levelled nothing, since no sample was selected`);
  if (format === 'onnx') await exportOnnx(checkpoint, folder);
  else if (adapter) await exportAdapter(checkpoint, folder);
  else await exportHuggingFace(checkpoint, folder);
  return { steps };
}

async function exportSamples(
  { streams: log }: RunFolder,
  folder: string,
  format: DatasetFormatName,
  { all = false, copyImages = false }: ExportFlags,
  { stderr, signal }: CommandContext,
): ReturnType<typeof exportDataset> {
  const streams = openEmbeddedStreams(log);
  const progress = openProgress(stderr);
  try {
    const onSample = (n: number): void => void (n % SHOW_EVERY === 0 && progress.note(`${n} samples written`));
    return await exportDataset(streams, folder, { format, all, copyImages, signal, onSample });
  } finally {
    progress.close();
    await streams.close();
  }
}
