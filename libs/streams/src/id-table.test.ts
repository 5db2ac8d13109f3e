import { describe, expect, it } from 'vitest';
import { IdTable } from './id-table.js';

describe('a table of ids', () => {
  it('has what was added and nothing else, as a Set has', () => {
    const [ours, plain] = [new IdTable(), new Set<string>()];
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

  it('keeps the last number of each', () => {
    const table = new IdTable();
    const ids = Array.from({ length: 5_000 }, (_, i) => `sample-${i}`);
    for (const [i, id] of ids.entries()) table.set(id, 1 + (i % 255));
    for (const id of ids.slice(0, 100)) table.set(id, 7);
    expect(table.size).toBe(ids.length);
    expect(ids.map((id) => table.get(id))).toEqual(ids.map((_, i) => (i < 100 ? 7 : 1 + (i % 255))));
    expect(table.get('sample-5000')).toBe(0);
  });

  it('takes at most 49 bytes an id', () => {
    const ids = new IdTable();
    const before = process.memoryUsage().arrayBuffers;
    const count = 300_000;
    for (let i = 0; i < count; i++) ids.add(`${i} ${'x'.repeat(100)}`);
    // Tables that were outgrown may not be collected yet; they are as large as the present ones at most.
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(ids.size).toBe(count);
    expect(grown / count).toBeLessThan(2 * 49);
    expect(ids.bytes / count).toBeLessThan(49);
    expect(ids.bytes / count).toBeGreaterThan(24);
  });
});

it('refuses a number that no byte holds', () => {
  const table = new IdTable();
  table.set('a', 255);
  for (const number of [0, 256]) expect(() => table.set('b', number)).toThrow(RangeError);
  expect([table.get('a'), table.get('b'), table.size]).toEqual([255, 0, 1]);
});
