import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleId } from '../sample-id.js';
import { ImageStore } from './image-store.js';
import type { ListedImage } from './listed-image.js';

const NOBODY = 65534;

describe('listing folders', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'mpa-images-'));
    await chmod(root, 0o755);
  });
  afterEach(() => rm(root, { recursive: true }));

  async function put(path: string, content = 'x'): Promise<string> {
    const full = join(root, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
    return full;
  }

  async function list(source = root): Promise<ListedImage[]> {
    const found: ListedImage[] = [];
    for await (const entry of new ImageStore().list(source)) found.push(entry);
    return found;
  }

  async function paths(source = root): Promise<string[]> {
    return (await list(source)).map(({ path }) => path);
  }

  async function reasons(source = root): Promise<Record<string, string>> {
    const skipped = (await list(source)).filter((entry) => entry.kind === 'skipped');
    return Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]));
  }

  it('finds images at every depth in a fixed order and leaves other files out', async () => {
    for (const path of ['b.png', 'B.JPG', 'a/2.webp', 'a/10.webp', 'ä.png', 'notes.txt', '.hidden.png', '.git/x.png']) {
      await put(path);
    }
    expect(await paths()).toEqual(['B.JPG', 'a/10.webp', 'a/2.webp', 'b.png', 'ä.png']);
  });

  it('gives path and URI; a sample id depends on the relative path only', async () => {
    const full = await put('a b/#1.png', 'four');
    expect(await list()).toEqual([{ kind: 'image', path: 'a b/#1.png', uri: pathToFileURL(full).href }]);
    expect(sampleId('a.png')).toBe(execFileSync('sha256sum', { input: 'a.png' }).toString().slice(0, 32));
    expect(Buffer.from(await new ImageStore().read((await list())[0]!.uri)).toString()).toBe('four');
  });

  it('reads a folder by URI, a single file, and globs', async () => {
    for (const path of ['a/1.png', 'a/2.jpg', 'a/sub/3.png', 'b/4.png', 'c/5.png', '[x]/6.png', 'a/notes.txt']) {
      await put(path);
    }
    expect(await paths(pathToFileURL(join(root, 'a')).href)).toEqual(['1.png', '2.jpg', 'sub/3.png']);
    expect(await paths(join(root, 'a/1.png'))).toEqual(['1.png']);
    expect(await paths(join(root, '*/*.png'))).toEqual(['[x]/6.png', 'a/1.png', 'b/4.png', 'c/5.png']);
    expect(await paths(join(root, '{a,b}/**/*.png'))).toEqual(['a/1.png', 'a/sub/3.png', 'b/4.png']);
    expect(await paths(join(root, 'a/*'))).toEqual(['1.png', '2.jpg']);
    expect(await paths(join(root, '[x]'))).toEqual(['6.png']);
  });

  it('does not enter folders that a glob cannot match', async () => {
    await put('a/1.png');
    await mkdir(join(root, 'locked/deep'), { recursive: true });
    await chmod(join(root, 'locked'), 0);
    await asNobody(async () => {
      expect(await paths(join(root, '{a,b}/*.png'))).toEqual(['a/1.png']);
      expect(await paths(join(root, '*/*.png'))).toEqual(['a/1.png', 'locked']);
    });
  });

  it('says what is wrong with a source that has no images', async () => {
    await put('notes.txt');
    await expect(paths()).rejects.toMatchObject({ name: 'StorageError', code: 'no-images' });
    await expect(paths(join(root, '*.png'))).rejects.toMatchObject({ code: 'no-images' });
    await expect(paths(join(root, 'none'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(paths(join(root, 'none/*.png'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(paths('ftp://host/images')).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('skips what cannot be used, with a reason, and lists the rest', async () => {
    await put('good.png');
    await put('empty.png', '');
    execFileSync('mkfifo', [join(root, 'pipe.png')]);
    await symlink('nowhere', join(root, 'broken.png'));
    await symlink('itself.png', join(root, 'itself.png'));
    await mkdir(join(root, 'folder.png'));
    expect(await reasons()).toEqual({
      'broken.png': 'broken-link',
      'empty.png': 'empty',
      'itself.png': 'symlink-loop',
      'pipe.png': 'not-a-file',
    });
    expect(await paths()).toContain('good.png');
  });

  it('skips files and folders that may not be read', async () => {
    await put('good.png');
    await chmod(await put('secret.png'), 0o200);
    await chmod(dirname(await put('vault/1.png')), 0);
    await asNobody(async () => {
      expect(await reasons()).toEqual({ 'secret.png': 'unreadable-file', vault: 'unreadable-folder' });
      expect(await paths()).toContain('good.png');
    });
  });

  it('ends on links that lead back', async () => {
    await put('a/1.png');
    await symlink('..', join(root, 'a/up'));
    await symlink('.', join(root, 'self'));
    expect(await reasons()).toEqual({ 'a/up': 'symlink-loop', self: 'symlink-loop' });
    expect(await paths()).toContain('a/1.png');
  });

  it('follows links to folders and files, each folder once', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'mpa-outside-'));
    await writeFile(join(outside, '1.png'), 'x');
    await symlink(outside, join(root, 'first'));
    await symlink(outside, join(root, 'second'));
    await symlink(join(outside, '1.png'), join(root, 'third.png'));
    expect(await paths()).toEqual(['first/1.png', 'second', 'third.png']);
    expect(await reasons()).toEqual({ second: 'linked-twice' });
    await rm(outside, { recursive: true });
  });

  it('does not multiply on folders that link to each other', async () => {
    const folders = Array.from({ length: 9 }, (_, i) => `f${i}`);
    for (const folder of folders) await put(`${folder}/1.png`);
    for (const a of folders) for (const b of folders) await symlink(`../${b}`, join(root, a, `to-${b}`));
    const images = (await list()).filter(({ kind }) => kind === 'image');
    expect(images.length).toBeGreaterThanOrEqual(9);
    expect(images.length).toBeLessThanOrEqual(18);
  });

  it('stops when told to', async () => {
    await put('1.png');
    const listing = new ImageStore().list(root, { signal: AbortSignal.abort() });
    await expect(listing[Symbol.asyncIterator]().next()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

/** Runs a check without the rights of root, which may read everything. */
async function asNobody(check: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return check();
  process.seteuid?.(NOBODY);
  try {
    await check();
  } finally {
    process.seteuid?.(0);
  }
}
