import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageStore, type ImageStoreOptions } from './image-store.js';
import type { ListedImage } from './listed-image.js';

describe('lists of references on this machine', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'mpa-lists-'));
    for (const path of ['lists/a.png', 'lists/deep/b.png', 'far/c.png', 'lists-too/d.png']) await put(path, 'x');
  });
  afterEach(() => rm(root, { recursive: true }));

  async function put(path: string, content: string): Promise<string> {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    return join(root, path);
  }

  async function list(source: string, options: ImageStoreOptions = {}): Promise<ListedImage[]> {
    const found: ListedImage[] = [];
    for await (const entry of new ImageStore(options).list(source)) found.push(entry);
    return found;
  }
  const told = (entries: readonly ListedImage[]): string[][] =>
    entries.map((entry) => [entry.path, entry.kind === 'image' ? 'image' : entry.reason]);

  it('gives what is in the folder of the list, in its order, and says what is not there', async () => {
    const uri = pathToFileURL(join(root, 'lists/a.png')).href;
    const file = await put('lists/train.txt', `deep/b.png\n\n ${uri}\r\n./deep/../a.png\ngone.png`);
    expect(told(await list(file))).toEqual([
      ['deep/b.png', 'image'],
      ['a.png', 'image'],
      ['a.png', 'image'],
      ['gone.png', 'not-found'],
    ]);
    expect((await list(file))[1]!.uri).toBe(uri);
  });

  it('follows no reference out of that folder, by any way, unless its folder is given', async () => {
    await symlink('../far', join(root, 'lists/link'));
    await symlink('../far/c.png', join(root, 'lists/c.png'));
    const far = join(root, 'far/c.png');
    const ways = ['../far/c.png', far, pathToFileURL(far).href, 'deep/../../far/c.png', 'link/c.png', 'c.png', '../lists-too/d.png', '/etc/passwd']; // prettier-ignore
    const file = await put('lists/train.txt', ['a.png', ...ways].join('\n'));
    const reasons = (await list(file)).map((entry) => (entry.kind === 'image' ? entry.path : entry.reason));
    expect(reasons).toEqual(['a.png', ...ways.map(() => 'not-allowed')]);
    const wider = (await list(file, { imageRoots: [join(root, 'far')] })).filter(({ kind }) => kind === 'image');
    expect(wider.map(({ path }) => path)).toEqual(['a.png', '../far/c.png', '../far/c.png', '../far/c.png', '../far/c.png', 'link/c.png', 'c.png']); // prettier-ignore
    await expect(list(file, { imageRoots: [join(root, 'none')] })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('goes on after a reference that no column can be read from', async () => {
    const odd = `${pathToFileURL(join(root, 'lists/gone.parquet')).href}#row=0&column=%`;
    const file = await put('lists/train.txt', ['a.png', odd, 'deep/b.png'].join('\n'));
    expect((await list(file)).map((entry) => (entry.kind === 'image' ? entry.path : entry.reason))).toEqual(['a.png', 'not-found', 'deep/b.png']); // prettier-ignore
  });

  it('reads JSON lines, and a bad line costs no other', async () => {
    const lines = ['{"image": "a.png", "id": 7}', '{"image": 7}', 'no JSON', 'null', `{"image": "${'x'.repeat(70_000)}"}`, '{"image": "deep/b.png"}']; // prettier-ignore
    const entries = await list(await put('lists/train.jsonl', lines.join('\n')));
    expect(told(entries)).toEqual([
      ['a.png', 'image'],
      ...[2, 3, 4, 5].map((line) => [`train.jsonl:${line}`, 'bad-line']),
      ['deep/b.png', 'image'],
    ]);
    expect(entries[2]).toHaveProperty('detail', expect.stringContaining('line 3'));
  });

  it('names images in S3 and on allowed hosts without asking for them', async () => {
    const lines = ['s3://bucket/a.png', 's3://bucket/too/b.png', 's3://bucket-too/c.png', 'https://images.org/d.png', 'https://other.org/e.png', 'gopher://x/y']; // prettier-ignore
    const file = await put('lists/train.txt', lines.join('\n'));
    const options = { imageRoots: ['s3://bucket/'], allowHosts: ['images.org'] };
    expect(told(await list(file, options)).map(([, kind]) => kind)).toEqual(
      ['image', 'image', 'not-allowed', 'image', 'not-allowed', 'unsupported'], // prettier-ignore
    );
    await expect(list(file)).rejects.toThrow(/no images .*--image-root/);
  });

  it('keeps a list of any length and lines across its stretches whole', async () => {
    // Longer than what is read at once: 4 MiB.
    const count = 120_000;
    const file = await put('lists/long.jsonl', '');
    const lines = Array.from({ length: count }, (_, i) => JSON.stringify({ image: `s3://bucket/ä/${i}.png`, note: 'é'.repeat(i % 40) })); // prettier-ignore
    await writeFile(file, lines.join('\n'));
    let next = 0;
    for await (const { uri } of new ImageStore({ imageRoots: ['s3://bucket'] }).list(file)) {
      if (uri !== `s3://bucket/ä/${next}.png`) expect(uri).toBe(`s3://bucket/ä/${next}.png`);
      next += 1;
    }
    expect(next).toBe(count);
  });
});
