import { existsSync, readFileSync } from 'node:fs';
import type { RunPaths } from '@mpa/storage';
import { join } from 'node:path';
import { resultsFile } from '@mpa/console';
import type { Streams } from '@mpa/streams';

/** How far a stage is. */
export interface Gauge {
  /** What is done, in the stage's own unit. */
  position(): Promise<number>;
  /** Where it stands when the stage is done; undefined while nobody can know. */
  total(): number | undefined;
  /** Grows whenever the stage does something, also what it had done before. */
  activity(): Promise<number>;
}

/** Records that a topic holds. Each look reads what is new; one that fails, for the cluster is being harmed, sees nothing new. */
export function recordsGauge(streams: Streams, topic: string, total: number): Gauge {
  const next = new Map<number, number>();
  let count = 0;
  let turn: Promise<number> = Promise.resolve(0);
  const look = async (): Promise<number> => {
    for await (const { partition, offset } of streams.readAll(topic, { from: next })) {
      next.set(partition, offset + 1);
      count += 1;
    }
    return count;
  };
  const inTurn = (): Promise<number> => (turn = turn.then(look).catch(() => count));
  return { total: () => total, position: inTurn, activity: inTurn };
}

/** Optimizer steps of a run's training. */
export function stepsGauge({ records }: RunPaths): Gauge {
  const points = (): { readonly step: number; readonly steps: number }[] =>
    linesOf(join(records, 'training.jsonl')).map((line) => JSON.parse(line) as { step: number; steps: number });
  return {
    total: () => points()[0]?.steps,
    position: async () => Math.max(0, ...points().map(({ step }) => step)),
    activity: async () => points().length,
  };
}

/** Answers of a run's evaluation, by three models. */
export function answersGauge(paths: RunPaths): Gauge {
  const count = async (): Promise<number> => linesOf(resultsFile(paths, 'chartqa')).length;
  const total = (): number | undefined => {
    if (!existsSync(paths.state)) return undefined;
    const { questions } = JSON.parse(readFileSync(paths.state, 'utf8')) as { questions?: { chartqa: number } };
    return questions && 3 * questions.chartqa;
  };
  return { total, position: count, activity: count };
}

/** The whole lines of a file that may be being written. */
function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}
