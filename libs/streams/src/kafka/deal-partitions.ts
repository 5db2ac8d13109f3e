/** A member of a group, as it asks for its share of a topic. */
export interface Claimant {
  readonly id: string;
  /** Partitions that it has, those in work first. */
  readonly holds: readonly number[];
}

/**
 * Shares a topic's partitions out evenly: nobody has two more than another. Within that everybody keeps what it has, the first
 * of its list before the others, so that little moves and work goes on.
 */
export function dealPartitions(partitions: readonly number[], members: readonly Claimant[]): Map<string, number[]> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const share = Math.floor(partitions.length / sorted.length);
  let above = partitions.length % sorted.length;
  const free = new Set(partitions);
  const dealt = new Map<string, number[]>();
  for (const { id, holds } of sorted) {
    const kept = holds.filter((partition) => free.has(partition)).slice(0, share + (above > 0 ? 1 : 0));
    if (kept.length > share) above -= 1;
    for (const partition of kept) free.delete(partition);
    dealt.set(id, kept);
  }
  for (const partition of free) {
    const [fewest] = [...dealt.values()].sort((a, b) => a.length - b.length);
    fewest!.push(partition);
  }
  return dealt;
}
