import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnoseTensorflow } from './diagnose.js';

function cacheWith(chosen?: object): string {
  const cacheDir = mkdtempSync(join(tmpdir(), 'mpa-cache-'));
  mkdirSync(join(cacheDir, 'tensorflow'));
  if (chosen) writeFileSync(join(cacheDir, 'tensorflow', 'chosen.json'), JSON.stringify(chosen));
  return cacheDir;
}

describe('diagnoseTensorflow', () => {
  it('advises to set up where that has not been done', async () => {
    const diagnosis = await diagnoseTensorflow({ cacheDir: cacheWith() });
    expect(diagnosis).toMatchObject({ backend: 'wasm', advice: ['run: npm run setup'] });
  });

  it('names what kept set-up from something better', async () => {
    const failures = [{ source: 'wheel for CPUs', reason: 'python3 with pip is missing' }];
    const chosen = { backend: 'wasm', source: 'WebAssembly', version: '', binding: '', gpus: [], failures };
    const { why, advice } = await diagnoseTensorflow({ cacheDir: cacheWith(chosen) });
    expect(why).toContain('python3 with pip is missing');
    expect(advice).toEqual([
      'for the wheel for CPUs, mend this: python3 with pip is missing',
      'then run: npm run setup',
    ]);
  });
});
