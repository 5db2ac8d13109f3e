import { writeFileAtomically, type RunPaths } from '@mpa/storage';
import type { Streams } from '@mpa/streams';
import { analyzeDecisions } from '../analysis/analyze-decisions.js';
import type { Summary } from '../pipeline/summary.js';
import type { CurvePoint } from '../pipeline/train-student.js';
import { analysisSection } from './analysis-section.js';
import type { AnalysisResult } from './analysis-section.js';
import { gallery } from './gallery.js';
import { page } from './page.js';

/**
 * Writes the run's `report.html`: tables, loss curve, where the models differ and a gallery of selected samples, in one file. Without
 * `found` the differences are read from the decisions, before levelling.
 */
export async function writeReport(
  paths: RunPaths,
  streams: Streams,
  summary: Summary,
  curve: readonly CurvePoint[],
  found?: AnalysisResult,
): Promise<void> {
  const result = found ?? { analysis: await analyzeDecisions(streams), measured: [] };
  const analysis = await analysisSection(result);
  await writeFileAtomically(paths.report, page(summary, curve, { samples: await gallery(streams), analysis }));
}
