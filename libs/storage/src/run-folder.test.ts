import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isRunInUse, openRunFolder, runPaths } from './run-folder.js';

const locker = join(import.meta.dirname, 'run-folder-locker.ts');

describe('a run folder', () => {
  let folder: string;
  let children: ChildProcess[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mpa-run-'));
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  /** A process that tries to open the folder and says `open` or the error's code. */
  async function openElsewhere(): Promise<{ child: ChildProcess; said: string }> {
    const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@mpa/source', locker, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [data] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, said: data.toString().trim() };
  }

  it('makes its folders and can be opened again after close', async () => {
    const run = await openRunFolder(folder);
    expect((await readdir(folder)).sort()).toEqual(['checkpoints', 'lock', 'records', 'streams']);
    await expect(openRunFolder(folder)).rejects.toMatchObject({ code: 'locked' });
    await run.close();
    await (await openRunFolder(folder)).close();
  });

  it('is for one process at a time, and free again when that one is killed', async () => {
    const { child, said } = await openElsewhere();
    expect(said).toBe('open');
    expect(await isRunInUse(runPaths(folder))).toBe(true);
    await expect(openRunFolder(folder)).rejects.toThrow(new RegExp(`process ${child.pid} on .*delete`));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await isRunInUse(runPaths(folder))).toBe(false);
    await (await openRunFolder(folder)).close();
  });

  it('goes to at most one of several processes that want it at once', async () => {
    const said = (await Promise.all([1, 2, 3, 4].map(openElsewhere))).map((each) => each.said);
    expect(said.filter((word) => word === 'open').length).toBeLessThanOrEqual(1);
    expect(said.filter((word) => word !== 'open')).toSatisfy((words: string[]) => words.every((w) => w === 'locked'));
  });

  it('is not fooled by a process that has the number of a dead one', async () => {
    const { child } = await openElsewhere();
    const [name] = await readdir(join(folder, 'lock'));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const reused = name!.replace(`.${child.pid}.`, `.${process.ppid}.`);
    await writeFile(join(folder, 'lock', reused), '');
    await (await openRunFolder(folder)).close();
  });

  it('respects a holder on another machine', async () => {
    await (await openRunFolder(folder)).close();
    await writeFile(join(folder, 'lock', 'elsewhere-1234.17.99'), '');
    await expect(openRunFolder(folder)).rejects.toThrow(/process 17 on elsewhere-1234/);
  });

  it('takes a holder on another machine for gone that has not renewed its file for long', async () => {
    await (await openRunFolder(folder)).close();
    const file = join(folder, 'lock', 'elsewhere-1234.17.99');
    await writeFile(file, '');
    const sixMinutesAgo = Date.now() / 1000 - 360;
    await utimes(file, sixMinutesAgo, sixMinutesAgo);
    expect(await isRunInUse(runPaths(folder))).toBe(false);
    await (await openRunFolder(folder)).close();
    expect(await readdir(join(folder, 'lock'))).toEqual([]);
  });

  it('is renewed while it is held, so that it does not seem gone from other machines', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const run = await openRunFolder(folder);
      const [name] = await readdir(join(folder, 'lock'));
      const file = join(folder, 'lock', name!);
      await utimes(file, 0, 0);
      vi.advanceTimersByTime(60_000);
      await expect.poll(async () => (await stat(file)).mtimeMs).toBeGreaterThan(0);
      await run.close();
      vi.advanceTimersByTime(60_000);
      expect(await readdir(join(folder, 'lock'))).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('says so when it cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(openRunFolder(join(folder, 'file/run'))).rejects.toMatchObject({ name: 'StorageError' });
  });
});
