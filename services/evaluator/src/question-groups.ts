import type { BenchmarkSample } from '@mpa/benchmarks';

/**
 * Questions in groups of `size`, the last one perhaps smaller. Those on one image follow each other, so that a model that
 * remembers the images of the group before looks at each image once; images come in the order of their first question.
 */
export function questionGroups(questions: readonly BenchmarkSample[], size: number): BenchmarkSample[][] {
  const byImage = new Map<string, BenchmarkSample[]>();
  for (const question of questions) {
    const same = byImage.get(question.imagePath);
    if (same) same.push(question);
    else byImage.set(question.imagePath, [question]);
  }
  const ordered = [...byImage.values()].flat();
  return Array.from({ length: Math.ceil(ordered.length / size) }, (_, i) => ordered.slice(i * size, (i + 1) * size));
}
