import { loadBenchmark } from '@mpa/benchmarks';
import { RpcError, taskName } from '@mpa/contracts';
import type { EvaluateRequest, EvaluatorService, Handlers } from '@mpa/contracts';
import { endpointConfig, endpointKey, endpointNamed, isEndpoint } from '@mpa/inference';
import { checkConfig } from '@mpa/service-kit';
import type { ServiceContext } from '@mpa/service-kit';
import { ImageStore, localPath } from '@mpa/storage';
import { FOLLOWED_HEADER, spanInEach, splitTraces } from '@mpa/telemetry';
import { openCheckpointModel, openEndpointModel } from './answering.js';
import type { Answering } from './answering.js';
import { ComparedModel } from './compared-model.js';
import { evaluate } from './evaluation.js';
import type { Contestant } from './evaluation.js';
import type { EvaluatorConfig } from './evaluator-config.js';
import { endpointFingerprint, modelFingerprint } from './model-fingerprint.js';
import { ResultLog } from './result-log.js';
import type { KeptResult, SkippedQuestion } from './result-log.js';
import { summarize } from './summarize.js';

type Evaluate = Handlers<typeof EvaluatorService>['evaluate'];

/** Evaluates one request at a time, ABORTED for a second one: two at once would slow each other. */
export function evaluateHandler(config: EvaluatorConfig, context: ServiceContext): Evaluate {
  let busy = false;
  return async function* (request, { signal, headers }) {
    if (busy) throw new RpcError('ABORTED', 'an evaluation is under way: wait for its end or ask another evaluator'); // prettier-ignore
    busy = true;
    const endSpans = spanInEach('evaluator: evaluate', splitTraces(headers[FOLLOWED_HEADER]));
    try {
      yield* answer(request, config, context, AbortSignal.any([signal, context.stopping]));
    } catch (error) {
      if (context.stopping.aborted) throw new RpcError('UNAVAILABLE', 'the evaluator is stopping; ask another one');
      throw error;
    } finally {
      endSpans({ 'mpa.models': request.models.map(({ label }) => label) });
      busy = false;
    }
  };
}

async function* answer(
  request: EvaluateRequest,
  config: EvaluatorConfig,
  context: ServiceContext,
  signal: AbortSignal,
): ReturnType<Evaluate> {
  checkRequest(request);
  const { task, limit, results: file } = request;
  await context.places.checkRead(request.annotations, request.imageRoot, ...request.models.map((m) => m.checkpoint));
  if (file !== '') await context.places.checkWrite(file);
  const images = new ImageStore({ roots: context.places.images });
  const imageRoot = localPath(request.imageRoot);
  const { samples, missing } = await loadBenchmark(taskName(task), localPath(request.annotations), imageRoot);
  const contestants = await Promise.all(
    request.models.map((model) => contestant(model, config, { ...context, images })),
  );
  const log = await ResultLog.open(file === '' ? undefined : localPath(file));
  let skipped = 0;
  const onSkipped = async (question: SkippedQuestion): Promise<void> => {
    skipped += 1;
    context.logger.warn({ ...question }, 'question left out: its image cannot be read');
    context.metrics.records.inc({ outcome: 'skipped' });
    await log.skip(question);
  };
  try {
    for (const { id, imagePath: image } of missing) {
      await onSkipped({ questionId: id, image, reason: 'missing', detail: `there is no ${image}` });
    }
    const questions = limit > 0 ? samples.slice(0, limit) : samples;
    const results = new Map<string, KeptResult[]>(contestants.map(({ model }) => [model.label, []]));
    const onAnswered = (answers: number): void => context.metrics.records.inc({ outcome: 'answered' }, answers);
    const plan = {
      task,
      contestants,
      questions,
      batch: config.batch,
      imageRoot,
      images,
      log,
      onSkipped,
      onAnswered,
      signal,
    };
    for await (const kept of evaluate(plan)) {
      results.get(kept.result.model)!.push(kept);
      yield { event: { case: 'result', value: kept.result } };
    }
    for (const [model, own] of results) {
      const metric = [...new Set(own.flatMap(({ result }) => result.metric || []))].join(', ');
      const value = { model, task, metric, missingImages: skipped, ...summarize(own) };
      context.logger.info(value, 'evaluated');
      yield { event: { case: 'summary', value } };
    }
  } finally {
    await log.close();
    await Promise.all(contestants.map(({ model }) => model.close()));
  }
}

async function contestant(
  { label, checkpoint }: EvaluateRequest['models'][number],
  { model, endpoint }: EvaluatorConfig,
  { env, fail, images }: ServiceContext & { readonly images: ImageStore },
): Promise<Contestant> {
  if (isEndpoint(checkpoint)) {
    const named = endpointNamed(checkpoint);
    const { maxNewTokens } = model;
    const config = checkConfig({ ...endpoint, ...named, maxNewTokens }, endpointConfig, checkpoint);
    const open = async (): Promise<Answering<unknown>> => openEndpointModel(config, endpointKey(config, env), images);
    return { model: new ComparedModel(label, checkpoint, open), fingerprint: endpointFingerprint(config) };
  }
  const config = { ...model, checkpoint: localPath(checkpoint) };
  const compared = new ComparedModel(label, config.checkpoint, () => openCheckpointModel(config, fail));
  return { model: compared, fingerprint: await modelFingerprint(config) };
}

function checkRequest({ models, annotations, imageRoot }: EvaluateRequest): void {
  const refuse = (problem: string): never => {
    throw new RpcError('INVALID_ARGUMENT', problem);
  };
  if (models.length === 0) refuse('name one or more `models`');
  if (models.some(({ label, checkpoint }) => label === '' || checkpoint === '')) {
    refuse('every model needs a `label` and a `checkpoint`');
  }
  if (new Set(models.map(({ label }) => label)).size < models.length) refuse('the labels of `models` must differ');
  if (annotations === '') refuse("set `annotations` to the benchmark's annotation file");
  if (imageRoot === '') refuse('set `imageRoot` to the folder of its images');
}
