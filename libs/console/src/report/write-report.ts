import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tasks } from '@mpa/answer-metrics';
import { ImageStore, readJsonl, writeFileAtomically, type RunPaths } from '@mpa/storage';
import type { Streams } from '@mpa/streams';
import { analyzeDecisions, type Analysis } from '../analysis/analysis.js';
import type { Levelling, Remeasured } from '../analysis/levelling.js';
import type { TaskAccuracy } from '../components/estimate.js';
import { EvaluationTally, type ResultLine } from '../run/evaluation-tally.js';
import { resultsFile } from '../run/results-file.js';
import type { Summary } from '../run/summary.js';
import type { CurvePoint } from '../run/training-curve.js';
import { gallery } from './gallery.js';
import { looks } from './looks.js';
import { page } from './page.js';

/** What the report says about where the models differ; the levelling only once `mpa analyze` measured it. */
export interface AnalysisResult {
  readonly analysis: Analysis;
  readonly levelling?: Levelling | undefined;
  readonly measured: readonly Remeasured[];
}

/** What goes into a report beside the run's own records. */
export interface ReportOptions {
  readonly found?: AnalysisResult;
  /** Reads the images of samples; by default one that asks no web server. */
  readonly images?: ImageStore;
}

/**
 * Writes the run's `report.html`: tables, loss curve, where the models differ and a gallery of selected samples, in one file. Without
 * `found` the differences are read from the decisions, before levelling.
 */
export async function writeReport(
  paths: RunPaths,
  streams: Streams,
  summary: Summary,
  curve: readonly CurvePoint[],
  { found, images = new ImageStore() }: ReportOptions = {},
): Promise<void> {
  const { analysis, levelling, measured } = found ?? { analysis: await analyzeDecisions(streams), measured: [] };
  const content = {
    accuracy: await accuracies(paths),
    curve,
    analysis,
    levelling,
    looks: await looks(measured, images),
    samples: await gallery(streams, images),
    styles: await readFile(new URL('../../styles.css', import.meta.url), 'utf8'),
  };
  await writeFileAtomically(paths.report, page(summary, content));
}

async function accuracies(paths: RunPaths): Promise<Record<string, TaskAccuracy>> {
  const found: Record<string, TaskAccuracy> = {};
  for (const task of tasks) {
    const file = resultsFile(paths, task);
    if (!existsSync(file)) continue;
    const tally = new EvaluationTally();
    for await (const line of readJsonl<ResultLine>(file)) tally.add(line);
    if (tally.answers > 0) found[task] = tally.accuracy({ exact: true });
  }
  return found;
}
