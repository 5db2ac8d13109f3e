import { RpcError } from '@mpa/contracts';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { openServices } from '../pipeline/open-services.js';
import type { PipelineOptions } from '../pipeline/pipeline-options.js';
import { runPipeline } from '../pipeline/run-pipeline.js';
import { table } from '../pipeline/table.js';
import { openProgress } from '../progress/progress.js';

/** Runs the pipeline with progress, and prints the table, or with `json` the one object. */
export async function levelStudent(options: PipelineOptions, json: boolean, context: CommandContext): Promise<void> {
  const { out, stderr, signal } = context;
  const progress = openProgress(stderr);
  try {
    const summary = await runPipeline(options, {
      progress,
      signal,
      openServices: (run, streams) => openServices(run, streams, context),
    });
    progress.close();
    if (json) return out(JSON.stringify(summary));
    for (const line of table(summary)) out(line);
    out(`report     ${options.run}/report.html`);
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== 'INTERNAL') throw error;
    throw new CliError(`a service failed; see ${options.run}/services.log, or its own log if it runs elsewhere`, {
      cause: error,
    });
  } finally {
    progress.close();
  }
}
