import type { Metrics } from '@mpa/service-kit';
import type { Progress } from './progress.js';

/** The service that does a stage of a run, by the first word of the stage's label. */
const SERVICES: Readonly<Record<string, string>> = {
  annotate: 'annotator',
  decide: 'parity',
  train: 'trainer',
  evaluate: 'evaluator',
};

/**
 * The same progress, which also tells Prometheus what the run still waits for from each service: whether or not a process of it
 * is there.
 */
export function measuredProgress(progress: Progress, metrics: Pick<Metrics, 'gauge'>): Progress {
  const owed = metrics.gauge({
    name: 'mpa_stage_owed_records',
    help: 'Images, decisions, steps or answers that a run still waits for from the stage',
    labels: ['stage'],
  });
  return {
    ...progress,
    stage(label, all, before = 0) {
      const shown = progress.stage(label, all, before);
      const stage = SERVICES[label.split(' ')[0]!];
      if (stage === undefined) return shown;
      let [total, done] = [all, before];
      const tell = (): void => owed.set({ stage }, Math.max(0, total - done));
      tell();
      return {
        update(count, about) {
          done = count;
          tell();
          shown.update(count, about);
        },
        resize(count) {
          total = count;
          tell();
          shown.resize(count);
        },
        end() {
          owed.set({ stage }, 0);
          shown.end();
        },
      };
    },
  };
}
