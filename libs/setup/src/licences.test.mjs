import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { refusedLicences } from './licences.mjs';
import { REPOSITORY_ROOT } from './repository-root.mjs';

it('all that the product runs with is permissively licensed', () => {
  const lock = JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'package-lock.json'), 'utf8'));
  expect(Object.keys(lock.packages).length).toBeGreaterThan(100);
  expect(refusedLicences(lock)).toEqual([]);
});

it.each([
  ['GPL-3.0-only', true],
  ['MIT AND GPL-3.0-only', true],
  ['(MIT OR GPL-3.0-only)', false],
  ['(BSD-3-Clause AND Apache-2.0)', false],
  ['LGPL-3.0-or-later', true],
  ['SEE LICENSE IN LICENSE.txt', true],
  [undefined, true],
])('%s is refused: %s', (license, refused) => {
  const packages = { 'node_modules/a': { license }, 'node_modules/b': { license, dev: true } };
  expect(refusedLicences({ packages })).toEqual(refused ? [`a: ${license ?? 'none'}`] : []);
});
