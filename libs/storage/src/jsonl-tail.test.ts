import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { JsonlTail } from './jsonl-tail.js';

let folder: string;
let file: string;
let tail: JsonlTail<number | string>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mpa-tail-'));
  file = join(folder, 'numbers.jsonl');
  tail = new JsonlTail(file);
});
afterEach(() => rmSync(folder, { recursive: true }));

it('gives each line once it is complete, and only once', async () => {
  expect(await tail.read()).toEqual({ values: [], restarted: false });
  writeFileSync(file, '1\n2\n3');
  expect(await tail.read()).toEqual({ values: [1, 2], restarted: false });
  expect(await tail.read()).toEqual({ values: [], restarted: false });
  appendFileSync(file, '4\n\n"ä');
  expect(await tail.read()).toEqual({ values: [34], restarted: false });
  appendFileSync(file, 'ö"\n');
  expect(await tail.read()).toEqual({ values: ['äö'], restarted: false });
});

it('reads lines that are longer than what it reads at a time', async () => {
  const long = 'x'.repeat(3_000_000);
  writeFileSync(file, `"${long}"\n1\n`);
  expect((await tail.read()).values).toEqual([long, 1]);
});

it('leaves out and names lines that are no JSON', async () => {
  writeFileSync(file, '1\nnone\n2\n');
  expect((await tail.read()).values).toEqual([1, 2]);
  expect(tail.corrupt).toEqual([2]);
});

it('says that it starts again with a file that was cut, exchanged or removed', async () => {
  writeFileSync(file, '1\n2\n');
  await tail.read();
  writeFileSync(file, '3\n');
  expect(await tail.read()).toEqual({ values: [3], restarted: true });
  writeFileSync(join(folder, 'other'), '4\n5\n');
  renameSync(join(folder, 'other'), file);
  expect(await tail.read()).toEqual({ values: [4, 5], restarted: true });
  rmSync(file);
  expect(await tail.read()).toEqual({ values: [], restarted: true });
});
