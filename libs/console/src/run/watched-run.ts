import { join } from 'node:path';
import { tasks, type Task } from '@mpa/answer-metrics';
import { JsonlTail } from '@mpa/storage';
import { openEmbeddedStreams, type Streams } from '@mpa/streams';
import type { RunStatus, RunView, Stage } from '../api.js';
import { ConsoleError } from './console-error.js';
import { EvaluationTally, type ResultLine } from './evaluation-tally.js';
import { RateMeter } from './rate-meter.js';
import type { Content, RunFile, RunFiles } from './run-files.js';
import { resultsFile } from './results-file.js';
import { SampleIndex } from './sample-index.js';
import { select, type SampleQuery, type Selection } from './sample-query.js';
import { curveLines, type CurvePoint } from './training-curve.js';

/** Milliseconds for which what was read is taken to be current. */
const CURRENT = 300;
/** Kinds of questions told: as many as a page lists. */
const KINDS = 20;
/** Selections kept, so that the pages of one are filtered and sorted once. */
const KEPT_SELECTIONS = 8;

type Meter = 'list' | 'annotate' | 'decide' | 'train' | `evaluate ${string}`;

/** A run that is looked at, maybe while another process works in it: what was read of it, extended by what is new. */
export class WatchedRun {
  #index: SampleIndex | undefined;
  #streams: Streams | undefined;
  #curve = new Map<number, CurvePoint>();
  readonly #tail: JsonlTail<CurvePoint>;
  readonly #evaluations = new Map<Task, { tail: JsonlTail<ResultLine>; tally: EvaluationTally }>();
  readonly #meters = new Map<Meter, RateMeter>();
  readonly #selections = new Map<string, { version: number; selection: Selection }>();
  #files: { readonly [F in RunFile]?: Content<F> | undefined } = {};
  #status: RunStatus = 'stopped';
  #problems: string[] = [];
  #refreshed = 0;
  #refreshing: Promise<void> | undefined;

  private constructor(
    readonly name: string,
    private readonly files: RunFiles,
    private readonly identity: number,
  ) {
    this.#tail = new JsonlTail(join(files.paths.records, 'training.jsonl'));
  }

  /** Throws ConsoleError `not-found` when the folder is gone, `unreadable` when it has no configuration of a run. */
  static async open(name: string, files: RunFiles): Promise<WatchedRun> {
    const identity = await files.identity();
    if (identity === undefined) throw new ConsoleError('not-found', `there is no run ${name}`);
    const run = new WatchedRun(name, files, identity);
    await run.refresh();
    return run;
  }

  /** Reads what is new. Throws ConsoleError `not-found` when the folder is gone, or is another one by now. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#refreshed < CURRENT) return;
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshed = performance.now();
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  /** Samples that fit, in order. */
  select(query: SampleQuery): Selection {
    // The same for all pages of a list.
    const [key, version] = [JSON.stringify({ ...query, offset: 0, limit: 0 }), this.#index?.version ?? 0];
    const kept = this.#selections.get(key);
    this.#selections.delete(key);
    const selection = kept?.version === version ? kept.selection : select(this.#index?.samples ?? [], query);
    this.#selections.set(key, { version, selection });
    if (this.#selections.size > KEPT_SELECTIONS) this.#selections.delete(this.#selections.keys().next().value!);
    return selection;
  }

  /** The samples. Throws ConsoleError `not-found` while there are none. */
  get samples(): SampleIndex {
    if (!this.#index) throw new ConsoleError('not-found', `${this.name} has no samples yet`);
    return this.#index;
  }

  get view(): RunView {
    const { config, state, summary, analysis } = this.#files;
    const finished = this.#status === 'finished';
    const evaluations = [...this.#evaluations].filter(([, { tally }]) => tally.answers > 0);
    return {
      name: this.name,
      status: this.#status,
      tasks: [...new Set(config?.sources.map(({ task }) => task))],
      config,
      stages: this.#stages(),
      counts: this.#index?.counts ?? NO_COUNTS,
      curve: curveLines(this.#curvePoints()),
      accuracy: Object.fromEntries(evaluations.map(([task, { tally }]) => [task, tally.accuracy({ exact: finished })])),
      speed: summary?.speed,
      analysis: this.#index?.analysis.result(KINDS) ?? NO_ANALYSIS,
      levelling: analysis?.levelling,
      seconds: summary?.seconds ?? state?.seconds ?? 0,
      problems: this.#problems,
    };
  }

  async close(): Promise<void> {
    await this.#refreshing?.catch(() => undefined);
    await this.#streams?.close();
  }

  async #read(): Promise<void> {
    if ((await this.files.identity()) !== this.identity) {
      throw new ConsoleError('not-found', `${this.name} was removed`);
    }
    this.#problems = [];
    const config = await this.files.read('config');
    if (!config) throw new ConsoleError('unreadable', 'it has no config.json');
    this.#status = await this.files.status();
    const [state, summary, analysis] = [
      await this.#tried(this.files.read('state')),
      await this.#tried(this.files.read('summary')),
      await this.#tried(this.files.read('analysis')),
    ];
    this.#files = { config, state, summary, analysis };
    await this.#tried(this.#readStreams());
    await this.#tried(this.#readCurve());
    await this.#tried(this.#readEvaluations());
  }

  /** Notes why something cannot be read, and goes on without it. */
  async #tried<T>(reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading;
    } catch (error) {
      this.#problems.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  async #readStreams(): Promise<void> {
    const { streams } = this.files.paths;
    if (!this.#index) {
      // The folder is there before the log is.
      if (!(await this.files.holds(join(streams, 'data.mdb')))) return;
      // lmdb notes its readers there.
      await this.files.holds(join(streams, 'lock.mdb'));
      this.#streams = openEmbeddedStreams(streams, { readOnly: true });
      this.#index = new SampleIndex(this.#streams);
    }
    const stages = { images: 'list', annotations: 'annotate', failedImages: 'annotate', decisions: 'decide', failedAnnotations: 'decide' } as const; // prettier-ignore
    await this.#index.extend((source, timestamp) => this.#meter(stages[source]).add(timestamp));
    const { undecodable } = this.#index;
    if (undecodable > 0) this.#problems.push(`streams: ${undecodable} records cannot be decoded`);
  }

  async #readCurve(): Promise<void> {
    if (!(await this.files.holds(this.#tail.path))) return;
    const first = this.#curve.size === 0;
    const { values, restarted } = await this.#tail.read();
    if (restarted) this.#curve.clear();
    for (const point of values) {
      // A step that was done again after a kill counts once.
      this.#curve.set(point.step, point);
      if (!first) this.#meter('train').add(Date.now());
    }
    this.#noteCorrupt(this.#tail);
  }

  async #readEvaluations(): Promise<void> {
    for (const task of tasks) {
      const file = resultsFile(this.files.paths, task);
      if (!(await this.files.holds(file))) continue;
      const known = this.#evaluations.get(task);
      const { tail, tally } = known ?? { tail: new JsonlTail<ResultLine>(file), tally: new EvaluationTally() };
      const { values, restarted } = await tail.read();
      const current = restarted ? new EvaluationTally() : tally;
      for (const line of values) {
        current.add(line);
        if (known) this.#meter(`evaluate ${task}`).add(Date.now());
      }
      this.#evaluations.set(task, { tail, tally: current });
      this.#noteCorrupt(tail);
    }
  }

  #noteCorrupt({ path, corrupt }: JsonlTail<unknown>): void {
    const file = path.slice(this.files.folder.length + 1);
    if (corrupt.length > 0)
      this.#problems.push(`${file}: ${corrupt.length} lines are not JSON, the first is line ${corrupt[0]}`);
  }

  #curvePoints(): CurvePoint[] {
    return [...this.#curve.values()].sort((a, b) => a.step - b.step);
  }

  #stages(): Stage[] {
    const { config, state } = this.#files;
    const index = this.#index;
    const finished = this.#status === 'finished';
    const count = (...sources: Parameters<SampleIndex['count']>[0][]): number =>
      sources.reduce((sum, source) => sum + (index?.count(source) ?? 0), 0);
    const images = state?.images ?? null;
    const skipped = Object.values(index?.counts.skipped ?? {}).reduce((sum, n) => sum + n, 0);
    const last = this.#curvePoints().at(-1);
    const models = config?.teacher === undefined ? 2 : 3;
    const evaluated = (config?.sources ?? []).filter((source) => source.eval !== undefined).map(({ task }) => task);
    return [
      this.#stage('list', count('images'), images),
      this.#stage('annotate', count('annotations', 'failedImages'), images),
      this.#stage('decide', count('decisions', 'failedAnnotations'), images === null ? null : images - skipped),
      this.#stage('train', last?.step ?? 0, last?.steps ?? state?.training?.steps ?? null),
      ...evaluated.map((task) => {
        const done = this.#evaluations.get(task as Task)?.tally.answers ?? 0;
        const questions = state?.questions?.[task];
        return this.#stage(
          `evaluate ${task}`,
          done,
          questions === undefined ? (finished ? done : null) : questions * models,
        );
      }),
    ];
  }

  #stage(name: Meter, done: number, of: number | null): Stage {
    const perSecond = this.#status === 'running' ? this.#meter(name).perSecond(Date.now()) : null;
    const secondsLeft = perSecond === null || of === null ? null : Math.max(0, of - done) / perSecond;
    return { name, done, of, perSecond, secondsLeft };
  }

  #meter(name: Meter): RateMeter {
    const known = this.#meters.get(name) ?? new RateMeter();
    this.#meters.set(name, known);
    return known;
  }
}

const NO_COUNTS = { images: 0, annotated: 0, skipped: {}, selected: 0, selectedBy: {}, rejected: {} };
const NO_ANALYSIS = { decided: 0, gap: 0, histograms: {}, kinds: [], partsAt: {} };
