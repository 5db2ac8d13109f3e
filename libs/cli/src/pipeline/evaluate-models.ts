import { loadBenchmark } from '@mpa/benchmarks';
import { resultsFile, type PerModel, type Summary } from '@mpa/console';
import { taskOf, type EvaluationSummary } from '@mpa/contracts';
import type { RunPaths } from '@mpa/storage';
import { CliError, CountsError } from '../cli-error.js';
import type { Progress } from '../progress/progress.js';
import { outlasting, type Surroundings } from './outlast.js';
import type { TaskSource } from './pipeline-options.js';
import type { Services } from './services.js';

/** The models that are compared, by label: checkpoint folders. */
export interface ComparedModels {
  readonly before: string;
  readonly after: string;
  readonly teacher?: string;
}

/** A task with labelled questions. */
export type EvaluatedSource = TaskSource & Required<Pick<TaskSource, 'eval'>>;

/** Labelled questions per task; says how many have no image. Throws BenchmarkError for annotations that cannot be read, CliError without any image. */
export async function countQuestions(
  sources: readonly EvaluatedSource[],
  progress: Progress,
): Promise<ReadonlyMap<EvaluatedSource, number>> {
  const counts = new Map<EvaluatedSource, number>();
  for (const source of sources) {
    const { annotations, images } = source.eval;
    const { samples, missing } = await loadBenchmark(source.task, annotations, images);
    if (samples.length === 0) {
      throw new CliError(
        `${annotations}: none of its ${missing.length} images is under ${images}; give the right --eval-images`,
      );
    }
    if (samples.every(({ answers }) => answers.length === 0)) {
      throw new CliError(`${annotations} has questions without answers; give a split whose answers are published`);
    }
    if (missing.length > 0) {
      progress.note(`${annotations}: ${missing.length} questions are left out, their images are not under ${images}`);
    }
    counts.set(source, samples.length);
  }
  return counts;
}

/** Around an evaluation. */
export interface EvaluationContext extends Surroundings {
  readonly progress: Progress;
  /** Of the calls. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Accuracy of each model on each task, and speed over all of them. Answers of an earlier session are not given again. */
export async function evaluateModels(
  evaluator: Services['evaluator'],
  sources: ReadonlyMap<EvaluatedSource, number>,
  models: ComparedModels,
  paths: RunPaths,
  { progress, signal, patienceSeconds, headers }: EvaluationContext,
): Promise<Pick<Summary, 'eval' | 'speed'>> {
  const tasks: Record<string, Summary['eval'][string]> = {};
  const all: EvaluationSummary[] = [];
  const labelled: [label: string, checkpoint: string][] = Object.entries({ ...models });
  const attempt = outlasting('the evaluator', { signal, progress, patienceSeconds });
  for (const [source, questions] of sources) {
    const stage = progress.stage(`evaluate ${source.task}`, questions * labelled.length);
    const request = {
      models: labelled.map(([label, checkpoint]) => ({ label, checkpoint })),
      task: taskOf(source.task),
      annotations: source.eval.annotations,
      imageRoot: source.eval.images,
      results: resultsFile(paths, source.task),
    };
    const summaries = await attempt(async (heard) => {
      const found: EvaluationSummary[] = [];
      let done = 0;
      for await (const { event } of evaluator.evaluate(request, { signal, headers })) {
        heard();
        if (event.case === 'result') stage.update(++done);
        if (event.case === 'summary') found.push(event.value);
      }
      return found;
    });
    signal.throwIfAborted();
    stage.end();
    tasks[source.task] = sideBySide(source, summaries);
    all.push(...summaries);
  }
  return { eval: tasks, speed: speeds(all) };
}

function sideBySide({ task }: TaskSource, summaries: readonly EvaluationSummary[]): Summary['eval'][string] {
  const [before, after, teacher] = ['before', 'after', 'teacher'].map((label) =>
    summaries.find(({ model }) => model === label),
  );
  if (!before || !after) throw new CountsError(`the evaluator gave no summary of the S-VLM on ${task}`);
  const counts = summaries.map(({ model, questions }) => `${questions} by ${model}`);
  if (summaries.some(({ questions }) => questions !== before.questions)) {
    throw new CountsError(`${task}: the models answered different numbers of questions: ${counts.join(', ')}`);
  }
  return {
    before: before.accuracy,
    after: after.accuracy,
    teacher: teacher?.accuracy ?? null,
    n: before.questions,
  };
}

function speeds(summaries: readonly EvaluationSummary[]): Summary['speed'] {
  const of = (model: keyof PerModel): number | null => {
    const mine = summaries.filter((summary) => summary.model === model && summary.answersPerSecond > 0);
    if (mine.length === 0) return null;
    const seconds = mine.reduce((sum, { questions, answersPerSecond }) => sum + questions / answersPerSecond, 0);
    return mine.reduce((sum, { questions }) => sum + questions, 0) / seconds;
  };
  return { before: of('before'), after: of('after'), teacher: of('teacher') };
}
