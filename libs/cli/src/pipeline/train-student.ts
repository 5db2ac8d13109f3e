import { join } from 'node:path';
import type { CurvePoint, Summary, TermSummary } from '@mpa/console';
import type { TrainingProgress } from '@mpa/contracts';
import { openJsonl, readJsonl, type RunPaths } from '@mpa/storage';
import { CliError } from '../cli-error.js';
import type { Progress } from '../progress/progress.js';
import { outlasting, type Surroundings } from './outlast.js';
import type { FinishedTraining } from './run-state.js';
import type { Services } from './services.js';

/**
 * Trains the student on the run's selected samples, from where an earlier session left off, and keeps the curve in the
 * run's records. A trainer that is lost goes on from its last saved state once it is back.
 */
export async function trainStudent(
  trainer: Services['trainer'],
  student: string,
  { paths, place, runId }: { readonly paths: RunPaths; readonly place: string; readonly runId: string },
  { progress, signal, patienceSeconds }: Surroundings & { readonly progress: Progress },
): Promise<FinishedTraining> {
  const curve = await openJsonl(curveFile(paths));
  const request = {
    runId,
    streams: place,
    checkpoint: student,
    output: studentFolder(paths),
    state: join(paths.checkpoints, 'training-state'),
  };
  let stage: ReturnType<Progress['stage']> | undefined;
  const train = async (heard: () => void): Promise<FinishedTraining> => {
    for await (const { event } of trainer.train(request, { signal })) {
      heard();
      if (event.case === 'result') {
        const { checkpoint, samples, steps, unreadable, surplus } = event.value;
        stage?.end();
        if (surplus > 0) progress.note(`${surplus} selected samples beyond maxSamples are not trained on`);
        return { checkpoint, samples, steps, unreadable, surplus };
      }
      if (event.case !== 'progress') continue;
      const { step, steps, loss } = event.value;
      stage ??= progress.stage('train', steps, step - 1);
      stage.update(step, `loss ${loss.toFixed(3)}`);
      await curve.append(pointOf(event.value));
    }
    signal.throwIfAborted();
    throw new CliError('the trainer stopped early; run the same command to go on');
  };
  try {
    return await outlasting('the trainer', { signal, progress, patienceSeconds })(train);
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

/** What a curve comes to. One step is one batch and says little: numbers are means over its first and last tenth. */
export function curveSummary(curve: readonly CurvePoint[]): Pick<Summary['train'], 'firstLoss' | 'lastLoss' | 'terms'> {
  const part = Math.ceil(curve.length / 10);
  const [first, last] = [curve.slice(0, part), curve.slice(-part)];
  const names = new Set(curve.flatMap(({ terms }) => Object.keys(terms)));
  names.delete('answer');
  const terms = [...names].map((name): [string, TermSummary] => {
    const of = (points: readonly CurvePoint[], size: 'raw' | 'weighted'): number | null =>
      mean(points.flatMap(({ terms: { [name]: term } }) => (term ? [term[size]] : [])));
    const share = (of(first, 'weighted') ?? 0) / (mean(first.map(({ loss }) => loss)) ?? 1);
    return [name, { first: of(first, 'raw') ?? 0, last: of(last, 'raw') ?? 0, share }];
  });
  return {
    firstLoss: mean(first.map(({ loss }) => loss)),
    lastLoss: mean(last.map(({ loss }) => loss)),
    terms: Object.fromEntries(terms),
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}

/** Where a run keeps the levelled model. */
export function studentFolder(paths: Pick<RunPaths, 'checkpoints'>): string {
  return join(paths.checkpoints, 'student');
}

function curveFile(paths: RunPaths): string {
  return join(paths.records, 'training.jsonl');
}

function pointOf({ step, steps, loss, gradientNorm, learningRate, terms }: TrainingProgress): CurvePoint {
  const named = terms.map(({ name, raw, weighted }) => [name, { raw, weighted }] as const);
  return { step, steps, loss, terms: Object.fromEntries(named), ...{ gradientNorm, learningRate } };
}
