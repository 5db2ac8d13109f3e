import { writeFileAtomically, type RunPaths } from '@mpa/storage';
import type { Streams } from '@mpa/streams';
import type { Summary } from '../pipeline/summary.js';
import type { CurvePoint } from '../pipeline/train-student.js';
import { gallery } from './gallery.js';
import { page } from './page.js';

/** Writes the run's `report.html`: tables, loss curve and a gallery of selected samples, in one file. */
export async function writeReport(
  paths: RunPaths,
  streams: Streams,
  summary: Summary,
  curve: readonly CurvePoint[],
): Promise<void> {
  await writeFileAtomically(paths.report, page(summary, curve, await gallery(streams)));
}
