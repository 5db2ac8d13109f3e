import type { MarkGroup } from './accuracy-plot.js';
import { modelNames, models, type TaskAccuracy } from './estimate.js';

/** The three models side by side, task by task. */
export function markGroups(tasks: Readonly<Record<string, TaskAccuracy>>): MarkGroup[] {
  return Object.entries(tasks).map(([name, accuracy]) => ({
    name,
    marks: models.map((model) => ({ name: modelNames[model], estimate: accuracy[model] })),
  }));
}
