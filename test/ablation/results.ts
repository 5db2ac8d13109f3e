import { appendFile, readFile } from 'node:fs/promises';
import { tasks } from '@mpa/answer-metrics';
import type { Task } from '@mpa/answer-metrics';

/** One row under one seed. */
export interface Result {
  readonly table: string;
  readonly row: string;
  readonly seed: number;
  /** Accuracies in [0, 1]; of the annotations the share of right ones, of the discrepancies what the row is about. */
  readonly accuracy: Readonly<Record<Task, number>>;
  /** Samples to learn from. */
  readonly samples: number;
  /** How many of them are wrong on purpose. */
  readonly wrong?: number;
}

/** Mean over the tasks. */
export function meanOf({ accuracy }: Pick<Result, 'accuracy'>): number {
  return tasks.reduce((sum, task) => sum + accuracy[task], 0) / tasks.length;
}

/** Results that are kept in a file as they come, so that a stopped ablation goes on where it was. */
export class Results {
  private constructor(
    private readonly file: string,
    readonly all: Result[],
  ) {}

  static async open(file: string): Promise<Results> {
    const text = await readFile(file, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    return new Results(
      file,
      lines.map((line) => JSON.parse(line) as Result),
    );
  }

  /** The result of a row and seed: the one that is there, or what `measure` gives. */
  async once(
    key: Pick<Result, 'table' | 'row' | 'seed'>,
    measure: () => Promise<Pick<Result, 'accuracy' | 'samples' | 'wrong'>>,
  ): Promise<Result> {
    const found = this.all.find((r) => r.table === key.table && r.row === key.row && r.seed === key.seed);
    if (found) return found;
    const result = { ...key, ...(await measure()) };
    await appendFile(this.file, `${JSON.stringify(result)}\n`);
    this.all.push(result);
    return result;
  }

  /** All seeds of a row. */
  of(table: string, row: string): Result[] {
    return this.all.filter((r) => r.table === table && r.row === row);
  }
}
