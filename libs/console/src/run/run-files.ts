import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { isRunInUse, runPaths, type RunPaths } from '@mpa/storage';
import { z } from 'zod';
import type { RunStatus } from '../api.js';
import { ConsoleError } from './console-error.js';

const perModel = z.looseObject({ before: z.number(), after: z.number(), teacher: z.number().nullable() });
const speed = z.number().nullable();

/** What the console needs of a run's files; the rest of them is passed on as it is. */
const schemas = {
  config: z.looseObject({
    sources: z.array(z.looseObject({ task: z.string(), eval: z.unknown() })),
    teacher: z.string().optional(),
    student: z.string(),
  }),
  state: z.looseObject({
    images: z.number().optional(),
    questions: z.record(z.string(), z.number()).optional(),
    training: z.looseObject({ steps: z.number() }).optional(),
    seconds: z.number(),
  }),
  summary: z.looseObject({
    images: z.number(),
    selected: z.number(),
    eval: z.record(z.string(), perModel),
    speed: z.looseObject({ before: speed, after: speed, teacher: speed }),
    seconds: z.number(),
  }),
  analysis: z.looseObject({
    levelling: z
      .looseObject({
        samples: z.number(),
        nowRight: z.number(),
        means: z.record(z.string(), z.looseObject({ before: z.number(), after: z.number() })),
      })
      .optional(),
  }),
};

/** A JSON file of a run. */
export type RunFile = keyof typeof schemas;

/** What a {@link RunFile} holds. */
export type Content<F extends RunFile> = z.infer<(typeof schemas)[F]>;

/** Files by which a folder is taken for a run. */
const MARKS = ['streams', 'state.json', 'summary.json'];

/** The files of one run; none of them is followed out of its folder. */
export class RunFiles {
  readonly paths: RunPaths;

  /** @param folder real path of the run */
  constructor(readonly folder: string) {
    this.paths = runPaths(folder);
  }

  /** Whether the folder has anything that a run leaves. */
  async isRun(): Promise<boolean> {
    const names = await readdir(this.folder).catch((): string[] => []);
    return MARKS.some((mark) => names.includes(mark));
  }

  async status(): Promise<RunStatus> {
    if (await stat(this.paths.summary).catch(() => undefined)) return 'finished';
    return (await isRunInUse(this.paths)) ? 'running' : 'stopped';
  }

  /** Undefined when the file is not there. Throws ConsoleError `unreadable` when it is, and is not what it must be. */
  async read<F extends RunFile>(file: F): Promise<Content<F> | undefined> {
    const path = this.paths[file];
    const name = basename(path);
    if (!(await this.holds(path))) return undefined;
    try {
      return schemas[file].parse(JSON.parse(await readFile(path, 'utf8'))) as Content<F>;
    } catch (cause) {
      throw new ConsoleError('unreadable', `${name} ${cause instanceof z.ZodError ? 'is not that of a run' : 'is not readable JSON'}`, { cause }); // prettier-ignore
    }
  }

  /** Whether there is such a file. Throws ConsoleError `unreadable` when it leads out of the run's folder, or is a pipe or the like. */
  async holds(path: string): Promise<boolean> {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) return false;
    if (real.startsWith(this.folder + sep)) {
      // Whoever opens a pipe waits for ever.
      if ((await stat(real)).isFile()) return true;
      throw new ConsoleError('unreadable', `${basename(path)} is no file`);
    }
    throw new ConsoleError('unreadable', `${basename(path)} is a link that leads out of the run`);
  }

  /** When a part of the run was last written, in milliseconds since 1970. */
  async changed(): Promise<number> {
    const { folder, streams, records, summary } = this.paths;
    const parts = [folder, join(streams, 'data.mdb'), join(records, 'training.jsonl'), summary];
    const times = await Promise.all(parts.map((part) => stat(part).then(({ mtimeMs }) => mtimeMs).catch(() => 0))); // prettier-ignore
    return Math.max(...times);
  }

  /** Tells this folder from another one of its name later; undefined when it is gone. */
  async identity(): Promise<number | undefined> {
    return (await stat(this.folder).catch(() => undefined))?.ino;
  }
}
