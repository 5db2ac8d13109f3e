import { setTimeout as pause } from 'node:timers/promises';
import type { Gauge } from './gauges.js';
import { RunOver, until } from './until.js';

/** Longest time after a stage has come far enough until it is hit: so faults fall anywhere in a batch. */
const AT_RANDOM_MS = 400;

/** Faults that were injected, and how the run got over them. */
export interface Struck {
  readonly intended: number;
  readonly injected: number;
  /** Seconds, of those that it got over. */
  readonly recovered: readonly number[];
}

/** What is done to a stage, again and again. */
export interface Strikes {
  readonly gauge: Gauge;
  readonly times: number;
  /** Does the harm; resolves when it is done, or when it is over if it lasts. */
  readonly strike: () => Promise<void>;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** Settles when the run is over. */
  readonly ended: Promise<unknown>;
}

/**
 * Strikes so many times, spread over a stage's work at random, each time after the stage went on since the last; and tells how long
 * after each the stage did something again, or was found to be done.
 */
export async function strikeAlong(strikes: Strikes): Promise<Struck> {
  const { gauge, times, strike, random, ended } = strikes;
  const isDone = async (): Promise<boolean> => (await gauge.position()) >= (gauge.total() ?? Infinity);
  const recovered: number[] = [];
  let injected = 0;
  try {
    for (; injected < times;) {
      const share = (injected + random()) / (times + 0.5);
      await until(async () => (await gauge.position()) >= share * (gauge.total() ?? Infinity), ended);
      await pause(random() * AT_RANDOM_MS);
      await strike();
      injected += 1;
      const struck = performance.now();
      const before = await gauge.activity();
      await until(async () => (await gauge.activity()) > before || (await isDone()), ended);
      recovered.push((performance.now() - struck) / 1000);
    }
  } catch (error) {
    if (!(error instanceof RunOver)) throw error;
  }
  return { intended: times, injected, recovered };
}

/** Several strikes as one. */
export function together(all: readonly Struck[]): Struck {
  const sum = (of: (struck: Struck) => number): number => all.reduce((total, struck) => total + of(struck), 0);
  return {
    intended: sum(({ intended }) => intended),
    injected: sum(({ injected }) => injected),
    recovered: all.flatMap(({ recovered }) => recovered),
  };
}
