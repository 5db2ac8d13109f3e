import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packagesAreCurrent } from './npm-packages.mjs';

const wanted = {
  '': { name: 'root' },
  'libs/one': { version: '0.1.0' },
  'node_modules/@mpa/one': { link: true },
  'node_modules/left': { version: '1.2.0' },
  'node_modules/only-on-windows': { version: '3.0.0', optional: true },
};

function repository(installed) {
  const root = mkdtempSync(join(tmpdir(), 'mpa-root-'));
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: wanted }));
  mkdirSync(join(root, 'node_modules', '@mpa', 'one'), { recursive: true });
  if (installed)
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
  return root;
}

describe('packagesAreCurrent', () => {
  it('is satisfied by what the lock file asks for, optional packages apart', () => {
    expect(packagesAreCurrent(repository({ 'node_modules/left': { version: '1.2.0' } }))).toBe(true);
  });

  it('sees another version, a missing package, and an install that did not finish', () => {
    expect(packagesAreCurrent(repository({ 'node_modules/left': { version: '1.1.0' } }))).toBe(false);
    expect(packagesAreCurrent(repository({}))).toBe(false);
    expect(packagesAreCurrent(repository(undefined))).toBe(false);
    const grown = repository({ 'node_modules/left': { version: '1.2.0' } });
    rmSync(join(grown, 'node_modules', '@mpa', 'one'), { recursive: true });
    expect(packagesAreCurrent(grown)).toBe(false);
  });
});
