import type { Workbench } from './workbench.js';

/** What a scenario saw. */
export interface Observation {
  /** Faults that were injected, of those that were to be. */
  readonly injected: number;
  readonly intended: number;
  /** Seconds from each fault, or from the end of one that lasts, until the work it hit went on. */
  readonly recovered: readonly number[];
  /** Samples that the run should have and has not. */
  readonly lost: number;
  /** Samples that are in the training set more than once. */
  readonly duplicated: number;
  /** What is not as it has to be, in words; nothing when all is well. */
  readonly problems: readonly string[];
  /** What was measured besides. */
  readonly remark?: string;
}

/** A fault, or a family of them, and a run that has to outlive it. */
export interface Scenario {
  /** Name for `--only`. */
  readonly name: string;
  /** What is done, for the table. */
  readonly title: string;
  /** Why it cannot be prepared on this machine; undefined where it can. */
  readonly obstacle?: () => string | undefined;
  run(bench: Workbench): Promise<Observation>;
}
