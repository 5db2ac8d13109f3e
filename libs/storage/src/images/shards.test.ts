import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageStore } from './image-store.js';
import type { ListedImage } from './listed-image.js';
import { nulls, parquetFile, statedLists, type StatedParquet } from './parquet.fixture.js';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const MIB = 2 ** 20;
/** A null, which is told when it is read. */
const ABSENT = new Set(['delta.parquet/6/after']);
const expected = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8')) as Record<string, string>;

/** What came of the first image of `source` in a process with so much memory for objects, and what the process took at most. */
async function readIn256MiB(source: string): Promise<string[]> {
  const child = fileURLToPath(new URL('read-images.fixture.ts', import.meta.url));
  const node = ['--max-old-space-size=256', '--import', 'tsx', '--conditions=@mpa/source', child, source];
  const { stdout } = await promisify(execFile)(process.execPath, node);
  return stdout.trim().split('\n');
}

describe('shards', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mpa-shards-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function list(source: string): Promise<ListedImage[]> {
    const found: ListedImage[] = [];
    for await (const entry of new ImageStore().list(source)) found.push(entry);
    return found;
  }

  /** SHA-256 of every image by path, each read by its URI alone, by another process as it were. */
  async function digests(entries: readonly ListedImage[]): Promise<Record<string, string>> {
    const images = new ImageStore();
    const found: Record<string, string> = {};
    for (const { kind, path, uri } of entries) {
      if (kind === 'image')
        found[path] = createHash('sha256')
          .update(await images.read(uri))
          .digest('hex');
    }
    return found;
  }

  const of = (name: string): Record<string, string> =>
    Object.fromEntries(Object.entries(expected).filter(([path]) => path.startsWith(`${name}/`)));

  it.each(['gnu.tar', 'pax.tar', 'ustar.tar', 'plain.arrow', 'plain.parquet', 'delta.parquet'])(
    'gives every image of %s, and reads each by its own URI',
    async (name) => {
      const entries = (await list(join(fixtures, name))).filter(({ path }) => !ABSENT.has(path));
      expect(await digests(entries)).toEqual(of(name));
      expect(entries.filter(({ kind }) => kind === 'skipped').map(({ path }) => path)).toEqual(
        name.endsWith('.tar') ? [`${name}/empty.png`] : [],
      );
    },
  );

  it.each(['dataset.arrow', 'dataset.parquet'])(
    'reads structs as Hugging Face datasets write them: %s',
    async (name) => {
      const entries = await list(join(fixtures, name));
      const seen = await digests(entries.filter(({ path }) => !/\/[45]$/.test(path)));
      expect(seen).toEqual(of(name));
      const [four, five] = [4, 5].map((row) => entries.find(({ path }) => path === `${name}/${row}`)!);
      for (const cell of [four!, five!]) {
        // Arrow tells at listing what Parquet tells only when it is decoded.
        if (cell.kind === 'skipped') expect(cell.reason).toBe('empty');
        else await expect(new ImageStore().read(cell.uri)).rejects.toMatchObject({ code: 'empty' });
      }
    },
  );

  it('says how a compressed Arrow file is to be written', async () => {
    const file = join(folder, 'compressed.arrow');
    await cp(join(fixtures, 'compressed.arrow'), file);
    await cp(join(fixtures, 'gnu.tar'), join(folder, 'gnu.tar'));
    const [compressed, ...others] = await list(folder);
    expect(compressed).toMatchObject({ kind: 'skipped', path: 'compressed.arrow', reason: 'unsupported' });
    expect(others.filter(({ kind }) => kind === 'image')).toHaveLength(7);
    await expect(list(file)).rejects.toThrow(/no images in .*write it without compression/);
  });

  it('finds shards in folders and by globs, beside images', async () => {
    await cp(join(fixtures, 'gnu.tar'), join(folder, '00000.tar'));
    await cp(join(fixtures, 'gnu.tar'), join(folder, '00001.tar'));
    await writeFile(join(folder, 'a.png'), 'x');
    await writeFile(join(folder, 'notes.jsonl'), 'not listed');
    const count = async (source: string): Promise<number> =>
      (await list(source)).filter(({ kind }) => kind === 'image').length;
    expect(await count(folder)).toBe(15);
    expect(await count(join(folder, '{00000..00001}.tar'))).toBe(14);
    expect(await count(join(folder, '*1.tar'))).toBe(7);
  });

  it.each(['gnu.tar', 'plain.arrow', 'dataset.parquet'])(
    'keeps what is good of a shard that is cut off, and names it: %s',
    async (name) => {
      const file = join(folder, name);
      await cp(join(fixtures, name), file);
      const { length } = await readFile(file);
      await writeFile(join(folder, 'z.png'), 'x');
      // An archive ends in 10 kB of nothing.
      await truncate(file, name.endsWith('.tar') ? 4000 : Math.floor(length / 2));
      const entries = await list(folder);
      expect(entries.at(-1)).toMatchObject({ kind: 'image', path: 'z.png' });
      const broken = entries.find(({ kind }) => kind === 'skipped');
      expect(broken).toMatchObject({ path: name, reason: 'corrupt' });
      expect(broken).toHaveProperty('detail', expect.stringContaining(name));
      const good = entries.filter(({ kind, path }) => kind === 'image' && path.startsWith(`${name}/`));
      if (name === 'gnu.tar') expect(good.length).toBeGreaterThan(0);
      for (const [path, digest] of Object.entries(await digests(good))) expect(digest).toBe(expected[path]);
    },
  );

  it('never takes damage for an image outside of the file', async () => {
    for (const name of ['gnu.tar', 'plain.arrow', 'dataset.arrow', 'dataset.parquet', 'plain.parquet']) {
      const bytes = await readFile(join(fixtures, name));
      let seed = 7;
      for (let round = 0; round < 25; round++) {
        const damaged = Buffer.from(bytes);
        for (let i = 0; i < 4; i++) {
          seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
          damaged[seed % damaged.length] = seed >>> 24;
        }
        const file = join(folder, `${round}-${name}`);
        await writeFile(file, damaged);
        const entries = await list(file).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'StorageError', code: 'no-images' });
          return [];
        });
        for (const { kind, uri } of entries) {
          if (kind === 'skipped') continue;
          const read = await new ImageStore().read(uri).catch((error: unknown) => error as Error);
          if (read instanceof Error) expect(read).toMatchObject({ name: 'StorageError' });
          else expect(read.length).toBeLessThanOrEqual(damaged.length * 4);
        }
      }
    }
  });

  const one = Buffer.concat([Buffer.of(3, 0, 0, 0), Buffer.from('abc')]);
  const zeros = gzipSync(Buffer.alloc(64 * MIB));
  // Each is as small as it can be and, where it is taken at its word, more than the child's memory.
  it.each<[string, StatedParquet, string]>([
    ['what it says', { rows: 1, page: one }, '3 bytes'],
    ['rows that no row group has', { rows: 2 ** 53 - 1, groupRows: 1, page: one }, 'skipped: corrupt'],
    ['more rows than bytes', { rows: 2 ** 22, page: nulls(2 ** 22), optional: true }, 'skipped: corrupt'],
    ['a group of too many rows', { rows: 2 ** 40, page: one }, 'skipped: corrupt'],
    ['more values in a page than rows', { rows: 5, page: nulls(5), pageValues: 2 ** 30, optional: true }, 'corrupt'],
    ['a run that is longer than the page', { rows: 5, page: nulls(2 ** 30), optional: true }, 'empty'],
    ['a page of 2 GiB', { rows: 1, page: gzipSync(one), pageBytes: 2 ** 31 - 1, codec: 'gzip' }, 'too-large'],
    ['a dictionary for no row', { rows: 1, page: zeros, pageValues: 2 ** 24, pageBytes: 64 * MIB, codec: 'gzip', dictionary: true }, 'corrupt'], // prettier-ignore
    [
      'lists in its footer that it has not',
      { rows: 1, page: one, more: [[9, statedLists(2 ** 24, 30)]] },
      'skipped: corrupt',
    ],
  ])('takes no more memory than a Parquet file needs that states %s', async (_, stated, outcome) => {
    const file = join(folder, 'stated.parquet');
    await writeFile(file, parquetFile(stated));
    const [told, mebibytes] = await readIn256MiB(file);
    expect(told).toContain(outcome);
    expect(Number(mebibytes)).toBeLessThan(512);
  });

  it('keeps to the limit on the size of an image', async () => {
    const tight = new ImageStore({ maxMegabytes: 10 / 2 ** 20 });
    for (const name of ['gnu.tar', 'plain.arrow', 'plain.parquet']) {
      const [first] = await list(join(fixtures, name));
      await expect(tight.read(first!.uri)).rejects.toMatchObject({ code: 'too-large' });
    }
  });

  it('notices a shard that changed after it was listed', async () => {
    const file = join(folder, basename('gnu.tar'));
    await cp(join(fixtures, 'gnu.tar'), file);
    const last = (await list(file)).filter(({ kind }) => kind === 'image').at(-1)!;
    await truncate(file, 1000);
    await expect(new ImageStore().read(last.uri)).rejects.toMatchObject({ code: 'corrupt' });
  });
});
