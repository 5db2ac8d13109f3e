import { confidenceGap } from './confidence.js';

/** A gap above this is where two models part: the S-VLM finds each character of the step less than half as likely. */
const PARTED = 0.5;

/** How the S-VLM follows a rationale of the L-VLM. */
export interface PathDiscrepancy {
  /** {@link confidenceGap} of each step. */
  readonly gaps: readonly number[];
  /** Their mean, in [0, 1). */
  readonly mean: number;
  /** Index of the first step at which the S-VLM parts: each character is less than half as likely to it. */
  readonly partsAt: number | undefined;
}

/** Compares log-probabilities per character of the steps of a rationale; undefined when there is none. Throws RangeError for different lengths. */
export function pathDiscrepancy(teacher: readonly number[], student: readonly number[]): PathDiscrepancy | undefined {
  if (teacher.length !== student.length) throw new RangeError(`${teacher.length} steps against ${student.length}`);
  if (teacher.length === 0) return undefined;
  const gaps = teacher.map((own, i) => confidenceGap(own, student[i]!));
  const parted = gaps.findIndex((gap) => gap > PARTED);
  return {
    gaps,
    mean: gaps.reduce((a, b) => a + b, 0) / gaps.length,
    partsAt: parted < 0 ? undefined : parted,
  };
}
