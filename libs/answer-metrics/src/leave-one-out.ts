/**
 * VQA accuracy of an answer that `matching` of `total` annotators gave: min(1, n / 3) where n counts the *other*
 * annotators who agree, averaged over leaving each annotator out (visualqa.org/evaluation). 0 where there are none.
 */
export function leaveOneOut(matching: number, total: number): number {
  if (total === 0) return 0;
  const withoutAMatch = Math.min(1, Math.max(0, matching - 1) / 3);
  const withoutAnother = Math.min(1, matching / 3);
  return (matching * withoutAMatch + (total - matching) * withoutAnother) / total;
}
