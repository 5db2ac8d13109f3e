/** One comparison with the reference. */
export interface Check {
  /** What was compared, e.g. `case 0 logits (onnx)`. */
  readonly name: string;
  /** Largest absolute difference; for exact comparisons the number of differing elements. */
  readonly difference: number;
  /** Largest difference that float32 rounding explains (derived in docs/conformance.md); 0 for exact comparisons. */
  readonly tolerance: number;
  /** What differed, when something did. */
  readonly detail?: string | undefined;
}

type Numbers = ArrayLike<number>;

/** Largest absolute difference of two equally long lists; infinite when the lengths differ or a value is not a number. */
export function largestDifference(actual: Numbers, expected: Numbers): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

/** A comparison within a tolerance. */
export function close(name: string, actual: Numbers, expected: Numbers, tolerance: number): Check {
  const detail = actual.length === expected.length ? undefined : `${actual.length} values, expected ${expected.length}`;
  return { name, difference: largestDifference(actual, expected), tolerance, detail };
}

/** A comparison of integers or characters that must be equal. */
export function equal(name: string, actual: Numbers | string, expected: Numbers | string): Check {
  let different = Math.abs(actual.length - expected.length);
  for (let i = 0; i < Math.min(actual.length, expected.length); i++) if (actual[i] !== expected[i]) different++;
  const shown = (value: Numbers | string): string =>
    JSON.stringify(typeof value === 'string' ? value : Array.from(value).slice(0, 24));
  const detail = different === 0 ? undefined : `got ${shown(actual)}, expected ${shown(expected)}`;
  return { name, difference: different, tolerance: 0, detail };
}

/** Whether a check holds. */
export function passed({ difference, tolerance }: Check): boolean {
  return difference <= tolerance;
}
