import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileAtomically, writeFolderAtomically } from './atomic-write.js';
import { localFiles } from './images/local-files.js';

describe('atomic writes', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mpa-atomic-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('never shows a part of a file to a reader', async () => {
    const path = join(folder, 'deep/file.txt');
    const contents = ['a', 'b'].map((letter) => letter.repeat(3_000_000));
    await writeFileAtomically(path, contents[0]!);
    let writing = true;
    const writes = (async () => {
      for (let i = 1; i <= 10; i++) await writeFileAtomically(path, contents[i % 2]!);
      writing = false;
    })();
    while (writing) expect(contents).toContain(await readFile(path, 'utf8'));
    await writes;
    expect(await readdir(join(folder, 'deep'))).toEqual(['file.txt']);
  });

  it('leaves the old file and no other when it fails', async () => {
    const target = join(folder, 'target');
    await writeFolderAtomically(target, (temporary) => writeFile(join(temporary, 'x'), 'x'));
    await expect(writeFileAtomically(target, 'a file in place of a folder')).rejects.toMatchObject({
      code: 'unreadable',
    });
    expect(await readdir(folder)).toEqual(['target']);
  });

  it('replaces a folder as a whole, or not at all', async () => {
    const target = join(folder, 'checkpoint');
    const fill = (name: string) => (temporary: string) => writeFile(join(temporary, name), name);
    await writeFolderAtomically(target, fill('one'));
    await writeFolderAtomically(target, fill('two'));
    expect(await readdir(target)).toEqual(['two']);
    const failing = writeFolderAtomically(target, async (temporary) => {
      await fill('three')(temporary);
      throw new TypeError('half way');
    });
    await expect(failing).rejects.toThrow(TypeError);
    expect(await readdir(target)).toEqual(['two']);
    expect(await readdir(folder)).toEqual(['checkpoint']);
  });

  it('reads what was written, within the limit', async () => {
    const path = join(folder, 'x.bin');
    await writeFileAtomically(path, Uint8Array.of(1, 2, 3));
    expect([...(await localFiles.read(path, { maxBytes: 3 }))]).toEqual([1, 2, 3]);
    await expect(localFiles.read(path, { maxBytes: 2 })).rejects.toMatchObject({ code: 'too-large' });
    await expect(localFiles.read(`${path}.none`, { maxBytes: 2 })).rejects.toMatchObject({ code: 'not-found' });
    await expect(localFiles.read(folder, { maxBytes: 2 })).rejects.toMatchObject({ code: 'unreadable' });
  });
});
