import { existsSync, readFileSync } from 'node:fs';
import type { RunPaths } from '@mpa/storage';
import { join } from 'node:path';
import { resultsFile } from '@mpa/console';
import type { Streams } from '@mpa/streams';

/** How far a stage is. */
export interface Gauge {
  /** What is done, in the stage's own unit. */
  position(): Promise<number>;
  /** Grows whenever the stage does something, also what it had done before. */
  activity(): Promise<number>;
}

/** Records that a topic holds. Each look reads what is new. */
export function recordsGauge(streams: Streams, topic: string): Gauge {
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
  const inTurn = (): Promise<number> => (turn = turn.catch(() => 0).then(look));
  return { position: inTurn, activity: inTurn };
}

/** Optimizer steps of a run's training. */
export function stepsGauge({ records }: RunPaths): Gauge {
  const lines = (): string[] => linesOf(join(records, 'training.jsonl'));
  return {
    position: async () => Math.max(0, ...lines().map((line) => (JSON.parse(line) as { step: number }).step)),
    activity: async () => lines().length,
  };
}

/** Answers of a run's evaluation. */
export function answersGauge(paths: RunPaths): Gauge {
  const count = async (): Promise<number> => linesOf(resultsFile(paths, 'chartqa')).length;
  return { position: count, activity: count };
}

/** The whole lines of a file that may be being written. */
function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}
