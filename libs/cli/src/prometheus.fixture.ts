import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

/** The answer of a query (https://prometheus.io/docs/prometheus/latest/querying/api/). */
interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly Series[];
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  };
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [time: number, value: string])[];
}

/** A rule, as Prometheus has it. */
export interface Rule {
  readonly name: string;
  readonly query: string;
  readonly type: 'recording' | 'alerting';
  readonly health: 'ok' | 'err' | 'unknown';
}

/** A real Prometheus, in a process of its own. */
export class Prometheus {
  readonly #began = Date.now() / 1000;

  private constructor(
    private readonly child: ChildProcess,
    private readonly address: string,
  ) {}

  /** @param data folder for what it stores */
  static async start(config: string, data: string): Promise<Prometheus> {
    const flags = [`--config.file=${config}`, `--storage.tsdb.path=${data}`, '--web.listen-address=127.0.0.1:0'];
    const child = spawn('prometheus', flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    const address = new Promise<string>((resolve, reject) => {
      child.on('error', (cause) => reject(new Error('install Prometheus (apt install prometheus)', { cause })));
      child.on('exit', (code) => reject(new Error(`Prometheus ended with ${code}`)));
      createInterface(child.stderr).on('line', (line) => {
        const found = /msg="Listening on" address=(\S+)/.exec(line)?.[1];
        if (found) resolve(found);
      });
    });
    const prometheus = new Prometheus(child, await address);
    // It listens before it answers.
    while (!(await fetch(`http://${prometheus.address}/-/ready`)).ok) await pause(100);
    return prometheus;
  }

  /** What the expression came to since the start, by series; numbers only. */
  async values(expression: string): Promise<number[][]> {
    const range = { query: expression, start: String(this.#began), end: String(Date.now() / 1000), step: '1' };
    const { data } = await this.#ask(`query_range?${new URLSearchParams(range).toString()}`);
    const series = data.result.map(({ values }) => values.map(([, value]) => Number(value)).filter(Number.isFinite));
    return series.filter((values) => values.length > 0);
  }

  /** Resolves when the expression has had so many series. */
  async until(expression: string, series: number): Promise<void> {
    while ((await this.values(expression)).length < series) await pause(200);
  }

  /** The rules that it evaluates. */
  async rules(): Promise<Rule[]> {
    const { data } = await this.#ask('rules');
    return data.groups.flatMap(({ rules }) => rules);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }

  async #ask(question: string): Promise<Answer> {
    const answer = (await (await fetch(`http://${this.address}/api/v1/${question}`)).json()) as Answer;
    if (answer.status !== 'success') throw new Error(`${question}: ${answer.error}`);
    return answer;
  }
}
