import { describe, expect, it } from 'vitest';
import { IdSet } from './id-set.js';

describe('a set of ids', () => {
  it('has what was added and nothing else, as a Set does', () => {
    const [ours, plain] = [new IdSet(), new Set<string>()];
    const differing: string[] = [];
    const compare = (id: string): void => void (ours.has(id) !== plain.has(id) && differing.push(id));
    // One in ten comes a second time.
    for (let i = 0; i < 50_000; i++) {
      const id = `sample-${(i * 7919) % 45_000}`;
      compare(id);
      ours.add(id);
      plain.add(id);
    }
    for (let i = 40_000; i < 60_000; i++) compare(`sample-${i}`);
    expect(differing).toEqual([]);
    expect(ours.size).toBe(plain.size);
  });

  it('takes at most 46 bytes an id', () => {
    const ids = new IdSet();
    const before = process.memoryUsage().arrayBuffers;
    const count = 300_000;
    for (let i = 0; i < count; i++) ids.add(`${i} ${'x'.repeat(100)}`);
    // Tables that were outgrown may not be collected yet; they are as large as the present ones at most.
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(ids.size).toBe(count);
    expect(grown / count).toBeLessThan(2 * 46);
  });
});
