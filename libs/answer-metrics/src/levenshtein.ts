/** Least number of insertions, deletions and substitutions of code points that turn `a` into `b`. */
export function levenshtein(a: string, b: string): number {
  const target = [...b];
  let previous = Array.from({ length: target.length + 1 }, (_, column) => column);
  let row = 0;
  for (const character of a) {
    const current = [++row];
    for (const [column, other] of target.entries()) {
      const substituted = previous[column]! + (character === other ? 0 : 1);
      current.push(Math.min(substituted, previous[column + 1]! + 1, current[column]! + 1));
    }
    previous = current;
  }
  return previous[target.length]!;
}

/** Length in code points, which is what Python's `len` counts. */
export function codePoints(text: string): number {
  return [...text].length;
}

/** 1 - Levenshtein distance / length of the longer text, in [0, 1]; 1 for two empty texts. */
export function levenshteinSimilarity(a: string, b: string): number {
  const longer = Math.max(codePoints(a), codePoints(b));
  return longer === 0 ? 1 : 1 - levenshtein(a, b) / longer;
}
