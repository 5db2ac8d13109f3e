import { join } from 'node:path';
import type { Task } from '@mpa/answer-metrics';
import type { RunPaths } from '@mpa/storage';

/** Where the per-sample results of a task lie. */
export function resultsFile({ records }: RunPaths, task: Task): string {
  return join(records, `evaluation-${task}.jsonl`);
}
