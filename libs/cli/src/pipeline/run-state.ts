import { readFile } from 'node:fs/promises';
import type { Task } from '@mpa/answer-metrics';
import { writeFileAtomically, type RunPaths } from '@mpa/storage';
import { isDeepStrictEqual } from 'node:util';
import { CliError } from '../cli-error.js';
import { settledSettings } from './annotator-settings.js';
import type { PipelineOptions } from './pipeline-options.js';

/** What of a run is finished, beside its records. */
export interface RunState {
  /** The run's id in its records: what its folder was called when it began. It may be renamed since. */
  readonly runId?: string;
  /** Records on the topic `images`, once all sources are listed. */
  readonly images?: number;
  /** Labelled questions by task. */
  readonly questions?: Readonly<Record<string, number>>;
  /** Where the records on the topic `images` come from, if `mpa import` wrote them. */
  readonly imported?: ImportedFile;
  readonly training?: FinishedTraining;
  /** Seconds spent in earlier sessions. */
  readonly seconds: number;
}

/** A file of annotations that a run begins with. */
export interface ImportedFile {
  readonly task: Task;
  /** Absolute path. */
  readonly file: string;
}

/** The trainer's result. */
export interface FinishedTraining {
  readonly checkpoint: string;
  readonly samples: number;
  readonly steps: number;
  readonly unreadable: number;
  /** Selected samples beyond `maxSamples`; not there in runs of earlier versions. */
  readonly surplus?: number;
}

/** Reads the state of a run; that of a new one when there is none. */
export async function readRunState(paths: Pick<RunPaths, 'state'>): Promise<RunState> {
  return (await readJson<RunState>(paths.state)) ?? { seconds: 0 };
}

/** Replaces the state of a run, whole or not at all. */
export async function writeRunState(paths: Pick<RunPaths, 'state'>, state: RunState): Promise<void> {
  await writeFileAtomically(paths.state, `${JSON.stringify(state)}\n`);
}

/**
 * Keeps what the run was started with, and on a later start compares. Throws CliError naming what differs: records of
 * different models or images must not be mixed. A run that begins is checked by `onNew` first.
 */
export async function checkSameRun(
  paths: RunPaths,
  options: PipelineOptions,
  onNew: () => Promise<void>,
): Promise<void> {
  const { sources, teacher, endpoint, student, kafka } = options;
  // How the cluster is reached, how long anything is waited for and who watches may change, and says nothing of the records.
  const config = {
    ...options.config,
    kafka: undefined,
    patienceSeconds: undefined,
    metrics: undefined,
    tracing: undefined,
    annotator: settledSettings(options.config.annotator),
  };
  const teacherModel = endpoint?.model;
  const streams = kafka && `kafka, prefix ${kafka.prefix}`;
  const wanted = JSON.parse(JSON.stringify({ sources, teacher, teacherModel, student, config, streams })) as Record<
    string,
    unknown
  >;
  const started = await readJson<Record<string, unknown>>(paths.config);
  if (!started) {
    await onNew();
    return writeFileAtomically(paths.config, `${JSON.stringify(wanted, null, 2)}\n`);
  }
  const keys = new Set([...Object.keys(wanted), ...Object.keys(started)]);
  const different = [...keys].filter((key) => !isDeepStrictEqual(wanted[key], started[key]));
  if (different.length > 0) {
    throw new CliError(
      `${paths.folder} was started with other ${different.join(', ')} (see ${paths.config}); give another --out`,
    );
  }
}

/** What the run was started with; undefined when that is not kept. Throws CliError when it is not readable. */
export async function readStartedConfig(
  paths: RunPaths,
): Promise<Pick<PipelineOptions, 'sources' | 'teacher' | 'student' | 'config'> | undefined> {
  return readJson(paths.config);
}

async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new CliError(`${path} is not readable JSON; give another --out`, { cause });
  }
}
