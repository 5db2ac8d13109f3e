import { readdir, realpath } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import type { ListedRun } from '../api.js';
import { ConsoleError } from './console-error.js';
import { RunFiles, type Content } from './run-files.js';
import { WatchedRun } from './watched-run.js';

/** Runs whose samples are kept in memory. */
const MOST_OPEN = 8;

/** The folder of runs that is looked at. Nothing outside of it is, whatever links are in it. */
export class RunsFolder {
  /** Least recently used first. */
  readonly #open = new Map<string, Promise<WatchedRun>>();

  constructor(readonly folder: string) {}

  /** The runs in the folder, last changed first; folders of another kind are left out. Throws ConsoleError `unreadable`. */
  async list(): Promise<ListedRun[]> {
    const entries = await readdir(this.folder, { withFileTypes: true }).catch((cause: unknown) => {
      throw new ConsoleError('unreadable', `cannot read ${this.folder}: ${String(cause)}`, { cause });
    });
    const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
    const runs = await Promise.all(folders.map(({ name }) => this.#listed(name)));
    return runs.filter((run) => run !== undefined).sort((a, b) => b.changed - a.changed);
  }

  /**
   * The run of that name, with what is new of it read. Throws ConsoleError `not-found` or `unreadable`, and forgets the run
   * then.
   */
  async open(name: string): Promise<WatchedRun> {
    const opening = this.#open.get(name) ?? this.#files(name).then((files) => WatchedRun.open(name, files));
    this.#open.delete(name);
    this.#open.set(name, opening);
    try {
      const run = await opening;
      await run.refresh();
      await this.#forgetOldest();
      return run;
    } catch (error) {
      if (this.#open.get(name) === opening) await this.#forget(name);
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((name) => this.#forget(name)));
  }

  async #forgetOldest(): Promise<void> {
    while (this.#open.size > MOST_OPEN) await this.#forget(this.#open.keys().next().value!);
  }

  async #forget(name: string): Promise<void> {
    const opening = this.#open.get(name);
    this.#open.delete(name);
    await opening?.then((run) => run.close()).catch(() => undefined);
  }

  async #listed(name: string): Promise<ListedRun | undefined> {
    const unreadable = (problem: string, changed = 0): ListedRun => ({ name, status: 'unreadable', problem, tasks: [], changed }); // prettier-ignore
    let files: RunFiles;
    try {
      files = await this.#files(name);
    } catch (error) {
      return error instanceof ConsoleError && error.code === 'unreadable' ? unreadable(error.message) : undefined;
    }
    if (!(await files.isRun())) return undefined;
    const changed = await files.changed();
    try {
      const config = await files.read('config');
      if (!config) return unreadable('it has no config.json', changed);
      const summary = await files.read('summary');
      const tasks = [...new Set(config.sources.map(({ task }) => task))];
      return { name, status: await files.status(), tasks, changed, ...(summary && { summary: shortened(summary) }) };
    } catch (error) {
      return unreadable(error instanceof Error ? error.message : String(error), changed);
    }
  }

  async #files(name: string): Promise<RunFiles> {
    if (name !== basename(name) || name.startsWith('.')) throw new ConsoleError('not-found', `there is no run ${name}`);
    const root = await realpath(this.folder);
    const real = await realpath(join(root, name)).catch((cause: unknown) => {
      throw new ConsoleError('not-found', `there is no run ${name}`, { cause });
    });
    if (!real.startsWith(root + sep)) throw new ConsoleError('unreadable', 'it is a link that leads out of the folder');
    return new RunFiles(real);
  }
}

function shortened({ images, selected, eval: tasks }: Content<'summary'>): ListedRun['summary'] {
  const all = Object.values(tasks);
  const mean = (model: 'before' | 'after'): number | null =>
    all.length === 0 ? null : all.reduce((sum, task) => sum + task[model], 0) / all.length;
  return { images, selected, before: mean('before'), after: mean('after') };
}
