import { basename } from 'node:path';
import { writeReport, type Summary } from '@mpa/console';
import { ImageStore, openRunFolder, writeFileAtomically, type RunPaths } from '@mpa/storage';
import type { Streams } from '@mpa/streams';
import { openCheckpoint } from '@mpa/vlm';
import type { Progress } from '../progress/progress.js';
import { annotateAndDecide } from './annotate-and-decide.js';
import { checkCounts } from './check-counts.js';
import { annotatorOf, pricesOf } from './annotator-settings.js';
import { requestEstimate, TokenEstimate } from './endpoint-estimate.js';
import { estimate } from './estimate.js';
import { countQuestions, evaluateModels, type EvaluatedSource } from './evaluate-models.js';
import { followedHeaders } from './followed-images.js';
import { finishedListing, startListing, type Listing } from './listing.js';
import { patientStreams } from './patient-streams.js';
import type { Surroundings } from './outlast.js';
import type { PipelineOptions } from './pipeline-options.js';
import { RecordKeeper } from './record-keeper.js';
import { checkSameRun, readRunState, writeRunState, type RunState } from './run-state.js';
import { checkTopicsOfNewRun, openRunStreams } from './run-streams.js';
import { sendImported } from './send-imported.js';
import type { Services } from './services.js';
import { teacherUsage } from './teacher-usage.js';
import { curveSummary, readCurve, trainStudent } from './train-student.js';

/** What a run needs from around it. */
export interface PipelineContext {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Starts or reaches the services; called once the input is known to be in order. */
  readonly openServices: (options: PipelineOptions, streams: Streams) => Promise<Services>;
}

/**
 * Levels the student: lists, annotates, decides, trains, evaluates, and writes summary and report into the run folder,
 * which is locked meanwhile. Whatever ends it, calling it again goes on and does nothing twice. Throws StorageError
 * `locked` when another process works in the folder, CheckpointError, before the folder is made, when a model is not in
 * order, CountsError when records are missing, and what the stages throw.
 */
export async function runPipeline(options: PipelineOptions, surroundings: PipelineContext): Promise<Summary> {
  const started = performance.now();
  const context = { ...surroundings, patienceSeconds: options.config.patienceSeconds };
  const labelled = options.sources.filter((source): source is EvaluatedSource => source.eval !== undefined);
  const evaluated = await countQuestions(labelled, context.progress);
  const { student, teacher = student, endpoint } = options;
  for (const model of new Set([endpoint ? student : teacher, student])) (await openCheckpoint(model)).close();
  const folder = await openRunFolder(options.run);
  try {
    const { place, streams } = openRunStreams(options, folder);
    try {
      await checkSameRun(folder, options, () => checkTopicsOfNewRun(options, streams));
      // A cluster that a new run cannot reach is an error at once; from here on it is waited for.
      const patient = options.kafka ? patientStreams(streams, context) : streams;
      if (options.kafka) await sendImported(folder, patient, context);
      const keeper = options.kafka && new RecordKeeper(patient, folder.streams, context.progress);
      try {
        const run = { options, evaluated, paths: folder, place, streams: patient, started };
        const { summary, curve } = await runStages(run, context);
        const records = keeper ? await keeper.finish() : streams;
        await writeFileAtomically(folder.summary, `${JSON.stringify(summary, null, 2)}\n`);
        await writeReport(folder, records, summary, curve, { images: new ImageStore(options.config.images) });
        return summary;
      } finally {
        await keeper?.close();
      }
    } finally {
      await streams.close();
    }
  } finally {
    await folder.close();
  }
}

type RunContext = PipelineContext & Pick<Surroundings, 'patienceSeconds'>;

interface Run {
  readonly options: PipelineOptions;
  /** Sources with labelled questions, and how many. */
  readonly evaluated: ReadonlyMap<EvaluatedSource, number>;
  readonly paths: RunPaths;
  readonly place: string;
  readonly streams: Streams;
  /** Milliseconds on the clock of `performance.now`. */
  readonly started: number;
}

type Outcome = { readonly summary: Summary; readonly curve: Awaited<ReturnType<typeof readCurve>> };

async function runStages(run: Run, context: RunContext): Promise<Outcome> {
  const { options, paths, place, streams } = run;
  const before = await readRunState(paths);
  const runId = before.runId ?? basename(paths.folder);
  let state: RunState = before;
  let writing = Promise.resolve();
  const keep = async (change: Partial<RunState>): Promise<RunState> => {
    state = { ...state, ...change, seconds: before.seconds + (performance.now() - run.started) / 1000 };
    // One after the other, so that the last state is the one that stays.
    await (writing = writing.then(() => writeRunState(paths, state)));
    return state;
  };
  await keep({ runId, questions: Object.fromEntries([...run.evaluated].map(([{ task }, n]) => [task, n])) });
  const over = new AbortController();
  const listing =
    before.images === undefined
      ? startListing(streams, runId, options, AbortSignal.any([context.signal, over.signal]))
      : finishedListing(before.images);
  const listed = listing.done.then((images) => keep({ images }));
  listed.catch(() => undefined);
  let services: Services | undefined;
  try {
    await listing.begun;
    services = await context.openServices(options, streams);
    if (before.images === undefined) await announce(services, run, listing, context);
    const prices = pricesOf(options);
    const tokens = options.endpoint && new TokenEstimate(streams, listing, prices);
    const onAnnotated = async (annotated: number): Promise<void> => {
      const words = await tokens?.after(annotated);
      if (words) context.progress.note(words);
    };
    const gap = await annotateAndDecide(services, streams, place, listing, { ...context, onAnnotated });
    await listed;
    const training =
      state.training ?? (await trainStudent(services.trainer, options.student, { paths, place, runId }, context));
    await keep({ training });
    const teacherModel = evaluatedTeacher(options);
    const models = {
      before: options.student,
      after: training.checkpoint,
      ...(teacherModel !== undefined && { teacher: teacherModel }),
    };
    const headers = await followedHeaders(streams);
    const accuracy = await evaluateModels(services.evaluator, run.evaluated, models, paths, { ...context, headers });
    const curve = await readCurve(paths);
    const train = { steps: training.steps, ...curveSummary(curve) };
    const signals = gap.signals.costs;
    const teacher = options.endpoint ? await teacherUsage(streams, prices, gap.signals.missing) : null;
    const { seconds } = await keep({});
    const summary: Summary = { run: paths.folder, ...gap.counts, signals, teacher, train, ...accuracy, seconds };
    checkCounts(summary, training);
    return { summary, curve };
  } finally {
    over.abort();
    await listed.catch(() => undefined);
    await services?.close();
  }
}

/** The L-VLM, if there is one, as the evaluator knows it. */
function evaluatedTeacher({ teacher, endpoint }: PipelineOptions): string | undefined {
  return endpoint ? `${teacher}#${endpoint.model}` : teacher;
}

async function announce(
  services: Services,
  { options, streams, evaluated }: Run,
  listing: Listing,
  { progress, signal, patienceSeconds }: RunContext,
): Promise<void> {
  const images = listing.count;
  const questions = [...evaluated.values()].reduce((sum, n) => sum + n, 0);
  progress.note(`${images} images listed${listing.isComplete ? '' : ' so far, and the listing goes on'}`);
  if (options.endpoint) return progress.note(requestEstimate(images, annotatorOf(options)));
  const words = await estimate(services, streams, { images, questions }, { progress, signal, patienceSeconds });
  if (words) progress.note(words);
}
