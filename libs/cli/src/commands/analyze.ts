import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { analyzeDecisions, levellingOf, writeReport, type Summary } from '@mpa/console';
import { ImageStore, openRunFolder, writeFileAtomically } from '@mpa/storage';
import { openEmbeddedStreams } from '@mpa/streams';
import type { Command } from 'commander';
import { analysisTable } from '../analysis/analysis-table.js';
import { measureAgain } from '../analysis/measure-again.js';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';
import { readRunState, readStartedConfig } from '../pipeline/run-state.js';
import { readCurve } from '../pipeline/train-student.js';
import { openProgress } from '../progress/progress.js';

interface AnalyzeFlags {
  readonly samples: number;
  readonly json?: boolean;
}

/** `mpa analyze`: where the two models of a run differ, and what the levelling made of it. */
export function addAnalyze(program: Command, context: CommandContext): void {
  program
    .command('analyze')
    .description('show where the models of a finished run differ, before and after levelling; part of its report')
    .argument('<run>', 'folder of the run')
    .option('--samples <n>', 'samples that show the gap to ask the levelled model again', wholeNumber(1), 200)
    .option('--json', 'print the analysis as one JSON object')
    .action((run: string, flags: AnalyzeFlags) => analyze(resolve(run), flags, context));
}

async function analyze(run: string, { samples: limit, json }: AnalyzeFlags, context: CommandContext): Promise<void> {
  const { out, stderr, signal, cacheDirectory } = context;
  const summary = await summaryOf(run);
  const folder = await openRunFolder(run);
  const progress = openProgress(stderr);
  try {
    const streams = openEmbeddedStreams(folder.streams);
    try {
      const analysis = await analyzeDecisions(streams);
      const { training } = await readRunState(folder);
      const images = (await readStartedConfig(folder))?.config.images;
      let stage: ReturnType<typeof progress.stage> | undefined;
      const onProgress = (done: number, of: number): void => (stage ??= progress.stage('measure', of)).update(done);
      const cacheDir = join(cacheDirectory, 'graphs');
      const measured =
        training && training.steps > 0
          ? await measureAgain(streams, {
              checkpoint: training.checkpoint,
              cacheDir,
              images,
              limit,
              signal,
              onProgress,
            })
          : [];
      stage?.end();
      const levelling = measured.length > 0 ? levellingOf(measured) : undefined;
      const found = { ...analysis, ...(levelling && { levelling }) };
      await writeFileAtomically(folder.analysis, `${JSON.stringify(found, null, 2)}\n`);
      await writeReport(folder, streams, summary, await readCurve(folder), {
        found: { analysis, levelling, measured },
        images: new ImageStore(images),
      });
      progress.close();
      if (json) return out(JSON.stringify(found));
      for (const line of analysisTable(analysis, levelling)) out(line);
      out('');
      out(`report     ${folder.report}`);
    } finally {
      await streams.close();
    }
  } finally {
    progress.close();
    await folder.close();
  }
}

async function summaryOf(run: string): Promise<Summary> {
  try {
    return JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as Summary;
  } catch (cause) {
    throw new CliError(`${run} is not the folder of a finished run: it has no readable summary.json`, { cause });
  }
}
