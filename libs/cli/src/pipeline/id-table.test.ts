import { expect, it } from 'vitest';
import { IdTable } from './id-table.js';

it('keeps the last number of each of many ids', () => {
  const table = new IdTable();
  const ids = Array.from({ length: 5_000 }, (_, i) => `sample-${i}`);
  for (const [i, id] of ids.entries()) table.set(id, 1 + (i % 255));
  for (const id of ids.slice(0, 100)) table.set(id, 7);
  expect(table.size).toBe(ids.length);
  expect(ids.map((id) => table.get(id))).toEqual(ids.map((_, i) => (i < 100 ? 7 : 1 + (i % 255))));
  expect(table.get('sample-5000')).toBe(0);
});
