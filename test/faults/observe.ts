import { audit, type Foreign } from './audit.js';
import { RunUnderTest, type RunOptions } from './run-under-test.js';
import type { Observation } from './scenario.js';
import type { Struck } from './strike-along.js';
import type { Workbench } from './workbench.js';

/** A run, and what it has to come to. */
export interface Trial extends RunOptions {
  /** Name of the run. */
  readonly name: string;
  /** What others write into its topics. */
  readonly foreign?: Foreign;
}

/** What was done to a run. */
export type Disturbance = Struck & { readonly remark?: string };

/**
 * Makes a run, has it disturbed (`disturb` starts services and command), waits for its end and holds it against an undisturbed one.
 * Nothing of it goes on afterwards. A run that fails is a problem.
 */
export async function observe(
  bench: Workbench,
  { name, foreign, ...options }: Trial,
  disturb: (run: RunUnderTest) => Promise<Disturbance>,
): Promise<Observation> {
  const run = await RunUnderTest.make(bench, name, options);
  try {
    const disturbance = await disturb(run);
    const { intended, injected, recovered } = disturbance;
    const problems: string[] = [];
    if (injected < intended) problems.push(`only ${injected} of ${intended} faults were injected`);
    if (recovered.length < injected) problems.push(`the run got over ${recovered.length} of ${injected} faults`);
    const summary = await run.summary();
    const found = await audit(run, summary, await bench.undisturbed(options.images), foreign);
    return { ...disturbance, ...found, problems: [...problems, ...found.problems] };
  } finally {
    await run.close();
  }
}
