import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageStore } from '@mpa/storage';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawImage } from '../run.fixture.js';
import { smallCopy } from './thumbnail.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mpa-thumbnail-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('is drawn of an image, and not of SVG, which takes any time', async () => {
  await drawImage(join(folder, 'a.png'), 1);
  const copy = await smallCopy(new ImageStore(), join(folder, 'a.png'), 8);
  expect(copy?.subarray(0, 2)).toEqual(Buffer.of(0xff, 0xd8));
  const levels = Array.from({ length: 10 }, (_, i) => `<g id="l${i + 1}">${`<use href="#l${i}"/>`.repeat(10)}</g>`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><g id="l0"><path d="M0 0h1"/></g>${levels.join('')}</svg>`;
  await writeFile(join(folder, 'b.png'), svg);
  expect(await smallCopy(new ImageStore(), join(folder, 'b.png'), 8)).toBeUndefined();
});
