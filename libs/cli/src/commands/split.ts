import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { tasks, type Task } from '@mpa/answer-metrics';
import { loadBenchmark, splitAnnotations } from '@mpa/benchmarks';
import { writeFileAtomically } from '@mpa/storage';
import { Option, type Command } from 'commander';
import { CliError, UsageError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { numberBetween, wholeNumber } from '../option-values.js';

interface SplitFlags {
  readonly annotations: readonly string[];
  readonly out: string;
  readonly benchmark?: Task;
  readonly imageRoot?: string;
  readonly share: number;
  readonly seed: number;
}

/** `mpa split`: a benchmark's own files in two parts that share no image. */
export function addSplit(program: Command, context: CommandContext): void {
  program
    .command('split')
    .description("split a benchmark's annotations by images into train and test, in its own schema")
    .requiredOption('--annotations <file...>', 'one file, or the two of OK-VQA')
    .requiredOption('--out <dir>', 'folder for train/ and test/')
    .addOption(new Option('--benchmark <name>', 'which one; with --image-root').choices(tasks))
    .option(
      '--image-root <dir>',
      'folder of its images: writes images.txt for each part, which mpa align takes as --images, with this --image-root',
    )
    .option('--share <share>', 'share of the images in test', numberBetween(0, 1), 0.15)
    .option('--seed <n>', 'chooses the images', wholeNumber(0), 1)
    .action((flags: SplitFlags) => split(flags, context));
}

async function split(flags: SplitFlags, { out }: CommandContext): Promise<void> {
  const { annotations, out: folder, benchmark, imageRoot, share, seed } = flags;
  if ((benchmark === undefined) !== (imageRoot === undefined)) {
    throw new UsageError('--benchmark and --image-root belong together: give both or neither');
  }
  for (const path of annotations) {
    const file = resolve(path);
    const { train, test, images } = splitAnnotations(await readJson(file), { share, seed, file });
    for (const [part, content] of Object.entries({ train, test })) {
      await writeFileAtomically(join(resolve(folder), part, basename(file)), `${JSON.stringify(content)}\n`);
    }
    out(`${basename(file)}: ${images.train} images in train, ${images.test} in test`);
  }
  if (benchmark === undefined || imageRoot === undefined) return;
  for (const part of ['train', 'test']) {
    const file = join(resolve(folder), part, basename(annotations[0]!));
    const { samples, missing } = await loadBenchmark(benchmark, file, resolve(imageRoot));
    const paths = [...new Set(samples.map(({ imagePath }) => imagePath))];
    const list = join(resolve(folder), part, 'images.txt');
    await writeFileAtomically(list, paths.map((path) => `${path}\n`).join(''));
    out(`${list}: ${paths.length} images${missing.length > 0 ? `; those of ${missing.length} questions are missing` : ''}`); // prettier-ignore
  }
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (cause) {
    throw new CliError(`cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
