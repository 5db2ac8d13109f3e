import type { Summary } from '@mpa/console';
import { CountsError } from '../cli-error.js';
import type { RunState } from './run-state.js';

/**
 * Checks that every image is accounted for. Throws CountsError with both sides of what does not add up.
 */
export function checkCounts(summary: Summary, training: RunState['training']): void {
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  const { images, annotated, skipped, selected, rejected } = summary;
  equal('images', images, 'annotated + skipped', annotated + sum(skipped));
  equal('annotated', annotated, 'selected + rejected', selected + sum(rejected));
  if (!training) return;
  const { samples, unreadable, surplus = 0 } = training;
  equal('selected', selected, 'trained on + unreadable + surplus', samples + unreadable + surplus);
}

function equal(left: string, a: number, right: string, b: number): void {
  if (a === b) return;
  throw new CountsError(
    `counts do not add up: ${left} is ${a}, but ${right} is ${b}; the run's streams hold the records`,
  );
}
