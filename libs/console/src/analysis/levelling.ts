import type { Decision } from '@mpa/contracts';
import { showsGap } from './analysis.js';
import { measures, type Measure } from './measures.js';

/** A sample that shows the gap, and the same sample decided about with the levelled S-VLM. */
export interface Remeasured {
  readonly before: Decision;
  readonly after: Decision;
}

/** The samples that show the gap, before and after levelling. */
export interface Levelling {
  readonly samples: number;
  /** How many the levelled S-VLM now answers as the L-VLM does. */
  readonly nowRight: number;
  /** Mean discrepancies. */
  readonly means: Partial<Readonly<Record<Measure, { readonly before: number; readonly after: number }>>>;
}

/** Sums up samples that were measured twice. */
export function levellingOf(measured: readonly Remeasured[]): Levelling {
  const means = measures.flatMap((measure) => {
    const pairs = measured.flatMap(({ before, after }) => {
      const [old, now] = [before.discrepancies?.[measure], after.discrepancies?.[measure]];
      return old === undefined || now === undefined ? [] : [{ before: old, after: now }];
    });
    if (pairs.length === 0) return [];
    const mean = (side: 'before' | 'after'): number => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
    return [[measure, { before: mean('before'), after: mean('after') }] as const];
  });
  const nowRight = measured.filter(({ after }) => !showsGap(after)).length;
  return { samples: measured.length, nowRight, means: Object.fromEntries(means) };
}
