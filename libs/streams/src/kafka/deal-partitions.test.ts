import { describe, expect, it } from 'vitest';
import { dealPartitions } from './deal-partitions.js';

const eight = Array.from({ length: 8 }, (_, i) => i);

function sizes(dealt: ReadonlyMap<string, readonly number[]>): number[] {
  return [...dealt.values()].map(({ length }) => length).sort();
}

describe('partitions of a group', () => {
  it('are shared evenly, each to one member', () => {
    for (let count = 1; count <= 10; count++) {
      const members = Array.from({ length: count }, (_, i) => ({ id: `m${i}`, holds: [] }));
      const dealt = dealPartitions(eight, members);
      expect([...dealt.values()].flat().sort()).toEqual(eight);
      expect(sizes(dealt).at(-1)! - sizes(dealt)[0]!).toBeLessThanOrEqual(1);
    }
  });

  it('stay where they are, those in work before the others, when a member comes', () => {
    const dealt = dealPartitions(eight, [
      { id: 'new', holds: [] },
      { id: 'old', holds: [6, 3, 0, 1, 2, 4, 5, 7] },
    ]);
    expect(dealt.get('old')).toEqual([6, 3, 0, 1]);
    expect(dealt.get('new')!.sort()).toEqual([2, 4, 5, 7]);
  });

  it('of a member that has left go to those with the fewest, and nothing else moves', () => {
    const dealt = dealPartitions(eight, [
      { id: 'a', holds: [0, 1, 2] },
      { id: 'b', holds: [3, 4] },
    ]);
    expect(dealt.get('a')!.slice(0, 3)).toEqual([0, 1, 2]);
    expect(dealt.get('b')!.slice(0, 2)).toEqual([3, 4]);
    expect(sizes(dealt)).toEqual([4, 4]);
  });

  it('that two members claim go to one of them', () => {
    const dealt = dealPartitions([0, 1], [
      { id: 'a', holds: [0] },
      { id: 'b', holds: [0, 1] },
    ]); // prettier-ignore
    expect([...dealt.values()].flat().sort()).toEqual([0, 1]);
  });
});
