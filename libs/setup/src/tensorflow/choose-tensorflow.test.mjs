import { mkdirSync, mkdtempSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseTensorflow, fetchTensorflow } from './choose-tensorflow.mjs';

const { PATH } = process.env;
const { fetch } = globalThis;

/** A machine without python3, compiler or network. */
beforeEach(() => {
  process.env.PATH = mkdtempSync(join(tmpdir(), 'mpa-empty-'));
  globalThis.fetch = () => Promise.reject(new TypeError('fetch failed', { cause: new Error('no network') }));
});

afterEach(() => {
  process.env.PATH = PATH;
  globalThis.fetch = fetch;
});

const newCache = () => mkdtempSync(join(tmpdir(), 'mpa-cache-'));

describe('chooseTensorflow on a machine with nothing', () => {
  it('falls back step by step to WebAssembly and says why', async () => {
    const cache = newCache();
    const choice = await chooseTensorflow(cache, { retry: false });
    expect(choice).toMatchObject({ backend: 'wasm', source: 'WebAssembly' });
    const reasons = Object.fromEntries(choice.failures.map(({ source, reason }) => [source, reason]));
    expect(reasons['wheel for CPUs']).toMatch(/C\+\+ compiler .* is missing/);
    expect(reasons['official download']).toMatch(/no network/);
    expect(JSON.parse(readFileSync(join(cache, 'tensorflow', 'chosen.json'), 'utf8'))).toEqual(choice);
    expect(readdirSync(join(cache, 'tensorflow')).filter((name) => name.startsWith('partial-'))).toEqual([]);
  });

  it('keeps a fallback for a while, and tries again when asked or later', async () => {
    const cache = newCache();
    const first = await chooseTensorflow(cache, { retry: false });
    expect(await chooseTensorflow(cache, { retry: false })).toEqual(first);
    expect((await chooseTensorflow(cache, { retry: true })).chosenAt).not.toBe(first.chosenAt);
    const old = { ...first, chosenAt: new Date(Date.now() - 2 * 60 * 60_000).toISOString() };
    writeFileSync(join(cache, 'tensorflow', 'chosen.json'), JSON.stringify(old));
    expect((await chooseTensorflow(cache, { retry: false })).chosenAt).not.toBe(old.chosenAt);
  });

  it('takes a damaged choice, and the remains of a killed run, for nothing', async () => {
    const cache = newCache();
    const remains = join(cache, 'tensorflow', 'partial-killed');
    mkdirSync(remains, { recursive: true });
    utimesSync(remains, new Date(0), new Date(0));
    writeFileSync(join(cache, 'tensorflow', 'chosen.json'), '{ "backend": "nat');
    expect((await chooseTensorflow(cache, { retry: false })).backend).toBe('wasm');
    expect(readdirSync(join(cache, 'tensorflow'))).not.toContain('partial-killed');
  });

  it('takes nothing else where one wheel is asked for', async () => {
    const cache = newCache();
    for (const cuda of [false, true])
      await expect(fetchTensorflow(cache, { cuda })).rejects.toThrow(/C\+\+ compiler .* is missing/);
    expect(readdirSync(join(cache, 'tensorflow'))).toEqual([]);
  });
});
