import { join } from 'node:path';
import type { TrainingProgress } from '@mpa/contracts';
import { openJsonl, readJsonl, type RunPaths } from '@mpa/storage';
import { CliError } from '../cli-error.js';
import type { Progress } from '../progress/progress.js';
import type { FinishedTraining } from './run-state.js';
import type { Services } from './services.js';
import type { TermSummary } from './summary.js';

/** One step of the training curve. */
export interface CurvePoint {
  readonly step: number;
  /** Nats per answer token. */
  readonly loss: number;
  /** Each term of the loss as it is, and times its coefficient. */
  readonly terms: Readonly<Record<string, { readonly raw: number; readonly weighted: number }>>;
}

/**
 * Trains the student on the run's selected samples, from where an earlier session left off, and keeps the curve in the
 * run's records.
 */
export async function trainStudent(
  trainer: Services['trainer'],
  student: string,
  paths: RunPaths,
  runId: string,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<FinishedTraining> {
  const curve = await openJsonl(curveFile(paths));
  let stage: ReturnType<Progress['stage']> | undefined;
  try {
    const request = {
      runId,
      streams: paths.streams,
      checkpoint: student,
      output: join(paths.checkpoints, 'student'),
      state: join(paths.checkpoints, 'training-state'),
    };
    for await (const { event } of trainer.train(request, { signal })) {
      if (event.case === 'result') {
        const { checkpoint, samples, steps, unreadable } = event.value;
        stage?.end();
        return { checkpoint, samples, steps, unreadable };
      }
      if (event.case !== 'progress') continue;
      const { step, steps, loss } = event.value;
      stage ??= progress.stage('train', steps, step - 1);
      stage.update(step, `loss ${loss.toFixed(3)}`);
      await curve.append(pointOf(event.value));
    }
    signal.throwIfAborted();
    throw new CliError('the trainer stopped early; run the same command to go on');
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await curve.close();
  }
}

/** The curve of a run, step by step; a step that was done again after a kill is there once. */
export async function readCurve(paths: RunPaths): Promise<CurvePoint[]> {
  const points = new Map<number, CurvePoint>();
  for await (const point of readJsonl<CurvePoint>(curveFile(paths))) points.set(point.step, point);
  return [...points.values()].sort((a, b) => a.step - b.step);
}

/** The terms beside the answer's over a curve, each from its first step to its last. */
export function termsOf(curve: readonly CurvePoint[]): Record<string, TermSummary> {
  const terms = new Map<string, TermSummary>();
  for (const { loss, terms: ofStep } of curve) {
    for (const [name, { raw, weighted }] of Object.entries(ofStep)) {
      if (name === 'answer') continue;
      const { first = raw, share = weighted / loss } = terms.get(name) ?? {};
      terms.set(name, { first, last: raw, share });
    }
  }
  return Object.fromEntries(terms);
}

function curveFile(paths: RunPaths): string {
  return join(paths.records, 'training.jsonl');
}

function pointOf({ step, loss, gradientNorm, learningRate, terms }: TrainingProgress): CurvePoint {
  const named = terms.map(({ name, raw, weighted }) => [name, { raw, weighted }] as const);
  return { step, loss, terms: Object.fromEntries(named), ...{ gradientNorm, learningRate } };
}
