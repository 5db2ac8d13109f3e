import { RpcError } from '@mpa/contracts';
import { openMetrics, startTracing } from '@mpa/service-kit';
import { inSpan } from '@mpa/telemetry';
import { trace } from '@opentelemetry/api';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { openServices } from '../pipeline/open-services.js';
import type { PipelineOptions } from '../pipeline/pipeline-options.js';
import { runPipeline } from '../pipeline/run-pipeline.js';
import { table } from '../pipeline/table.js';
import { measuredProgress } from '../progress/measured-progress.js';
import { openProgress } from '../progress/progress.js';

/** Runs the pipeline with progress, and prints the table, or with `json` the one object. */
export async function levelStudent(options: PipelineOptions, json: boolean, context: CommandContext): Promise<void> {
  const { out, stderr, signal, env } = context;
  const watched = await openMetrics('align', options.config.metrics);
  const progress = measuredProgress(openProgress(stderr), watched.metrics);
  const onProblem = noteOnce((problem) => progress.note(`traces are lost: ${problem}`));
  const endTracing = await startTracing('mpa', options.config.tracing, { env, onProblem });
  try {
    const attributes = { 'mpa.run.folder': options.run };
    const span = trace.getTracer('@mpa/cli').startSpan('mpa: align', { attributes });
    const summary = await inSpan(span, () =>
      runPipeline(options, {
        progress,
        signal,
        openServices: (run, streams) => openServices(run, streams, context),
      }),
    );
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
    await endTracing();
    await watched.close();
    progress.close();
  }
}

/** A collector that is not there is not there for every image. */
function noteOnce(note: (problem: string) => void): (problem: string) => void {
  let noted = false;
  return (problem) => {
    if (!noted) note(problem);
    noted = true;
  };
}
