import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJsonl, readJsonl } from './jsonl-file.js';

describe('JSON-lines files', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mpa-jsonl-'));
    path = join(folder, 'rows.jsonl');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function rows(): Promise<unknown[]> {
    const found: unknown[] = [];
    for await (const row of readJsonl(path)) found.push(row);
    return found;
  }

  async function append(...values: unknown[]): Promise<void> {
    const file = await openJsonl(path);
    await file.append(...values);
    await file.sync();
    await file.close();
  }

  it('keeps values and their order over several openings', async () => {
    await append({ text: 'line\nbreak \u2028' }, [1, null]);
    await append('ü');
    expect(await rows()).toEqual([{ text: 'line\nbreak \u2028' }, [1, null], 'ü']);
  });

  it('keeps appends that are not awaited apart and in order', async () => {
    const file = await openJsonl(path);
    const values = Array.from({ length: 200 }, (_, i) => ({ i, pad: 'x'.repeat(i * 10) }));
    await Promise.all(values.map((value) => file.append(value)));
    await file.close();
    expect(await rows()).toEqual(values);
  });

  it.each(['{"half":', '{"whole":1}', 'é'.repeat(100_000)])('cuts off a torn last line: %.12s', async (torn) => {
    await append({ a: 1 });
    await appendFile(path, torn);
    expect(await rows()).toEqual([{ a: 1 }]);
    await append({ b: 2 });
    expect(await rows()).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('cuts a file that is one torn line, and reads an empty one', async () => {
    await writeFile(path, '{"a"');
    await append();
    expect(await readFile(path, 'utf8')).toBe('');
    expect(await rows()).toEqual([]);
  });

  it('names the line that is broken', async () => {
    await writeFile(path, '{}\nnot json\n{}\n');
    await expect(rows()).rejects.toThrow(/line 2 is not JSON/);
    await rm(path);
    await expect(rows()).rejects.toMatchObject({ code: 'not-found' });
  });
});
