import { join, resolve } from 'node:path';
import { RpcError } from '@mpa/contracts';
import type { Handlers, TrainerService, TrainRequest } from '@mpa/contracts';
import type { ServiceContext } from '@mpa/service-kit';
import { ImageStore, localPath, StorageError, writing } from '@mpa/storage';
import { spanInEach } from '@mpa/telemetry';
import { checkDevice, Parameters, TensorModel } from '@mpa/tensorflow';
import { openCheckpoint, saveCheckpoint } from '@mpa/vlm';
import type { Checkpoint } from '@mpa/vlm';
import { seededRandom } from './random.js';
import { requestedOptions } from './requested-options.js';
import { saveAdapter } from './save-adapter.js';
import { readSelected, selectedSamples } from './selected-samples.js';
import type { SelectedSamples } from './selected-samples.js';
import { toRpcError } from './to-rpc-error.js';
import { stepsOf, train } from './train.js';
import { trainableOf } from './train-options.js';
import type { TrainOptions } from './train-options.js';
import type { TrainerConfig } from './trainer-config.js';
import { trainingFingerprint } from './training-fingerprint.js';
import { TrainingMetrics } from './training-metrics.js';

type Train = Handlers<typeof TrainerService>['train'];

/**
 * Trains one request at a time, since a training takes the whole machine: ABORTED for a second one. A run that
 * selected nothing that can be read ends with the checkpoint as it was. The levelled checkpoint is float32, so that
 * rounding takes back no update. An error that nobody foresaw may be the device's: if it computes nothing else either, the service
 * has failed for good.
 */
export function trainHandler(config: TrainerConfig, context: ServiceContext): Train {
  let busy = false;
  const metrics = new TrainingMetrics(context.metrics);
  return async function* (request, { signal }) {
    if (busy) throw new RpcError('ABORTED', 'a training is under way: wait for its end or ask another trainer');
    busy = true;
    const ending = AbortSignal.any([signal, context.stopping]);
    try {
      yield* answer(request, config, { ...context, metrics, signal: ending });
    } catch (thrown) {
      const error = ending.aborted || toRpcError(thrown) ? thrown : ofDevice(thrown);
      if (error !== thrown) context.fail(error as Error);
      if (context.stopping.aborted)
        throw new RpcError('UNAVAILABLE', 'the trainer is stopping; it goes on from its last saved state');
      throw error;
    } finally {
      busy = false;
    }
  };
}

/** What the device fails with, if it does; else the error itself. */
function ofDevice(error: unknown): unknown {
  try {
    checkDevice();
    return error;
  } catch (failure) {
    return failure;
  }
}

interface Answering extends Pick<ServiceContext, 'logger' | 'openStreams' | 'places'> {
  readonly metrics: TrainingMetrics;
  readonly signal: AbortSignal;
}

async function* answer(
  request: TrainRequest,
  config: TrainerConfig,
  { logger, openStreams, places, metrics, signal }: Answering,
): ReturnType<Train> {
  checkRequest(request);
  await places.checkRead(request.checkpoint);
  await places.checkWrite(request.streams, request.output, request.state);
  const options = requestedOptions(request.options, config.training);
  const cacheBytes = config.cacheMegabytes * 2 ** 20;
  const checkpoint = await openCheckpoint(localPath(request.checkpoint));
  const { streams, release } = openStreams(request.streams);
  try {
    const { discrepancyWeight, maxSamples } = options;
    const { decisions, traces, surplus } = await readSelected(streams, request.runId, { maxSamples, signal });
    const images = new ImageStore({ ...config.images, roots: places.images });
    const preparing = { images, cacheBytes, coefficients: options, discrepancyWeight, signal };
    const selected = await selectedSamples(decisions, checkpoint.processor, preparing);
    for (const { decision, error } of selected.unreadable) {
      const reason = error instanceof StorageError ? error.code : error.reason;
      logger.warn({ sample: decision.sampleId, reason, err: error }, 'image left out');
    }
    const unreadable = selected.unreadable.length;
    if (selected.questions === 0) {
      logger.warn({ run: request.runId, unreadable }, 'nothing to train on');
      yield { event: { case: 'result', value: { checkpoint: request.checkpoint, unreadable, surplus } } };
      return;
    }
    const endSpans = spanInEach('trainer: learn', traces);
    try {
      yield* level(request, { checkpoint, selected, options, cacheBytes, metrics, signal });
    } finally {
      endSpans();
    }
    const value = {
      checkpoint: request.output,
      samples: selected.questions,
      steps: stepsOf(selected.source, options),
      unreadable,
      surplus,
      signals: selected.signals,
    };
    logger.info({ run: request.runId, ...value }, 'trained');
    yield { event: { case: 'result', value } };
  } finally {
    await release();
    checkpoint.close();
  }
}

interface Levelling {
  readonly checkpoint: Checkpoint;
  readonly selected: SelectedSamples;
  readonly options: TrainOptions;
  readonly cacheBytes: number;
  readonly metrics: TrainingMetrics;
  readonly signal: AbortSignal;
}

/** Trains and writes the checkpoint. Throws an AbortError once `signal` aborts; the state is saved then. */
async function* level(
  { runId, state, output }: TrainRequest,
  { checkpoint, selected, options, cacheBytes, metrics, signal }: Levelling,
): ReturnType<Train> {
  const { weights, family, config } = checkpoint;
  const fingerprint = trainingFingerprint(weights, selected.source, options);
  const random = seededRandom(options.seed);
  const trainable = trainableOf(options.trainable, checkpoint);
  const parameters = new Parameters(weights, trainable, random.uniform);
  try {
    const model = new TensorModel(family, config, parameters);
    const context = { state: localPath(state), fingerprint, cacheBytes, signal };
    for await (const step of train(model, selected.source, options, context)) {
      metrics.stepped(step);
      yield { event: { case: 'progress', value: { runId, ...step, terms: [...step.terms] } } };
    }
    signal.throwIfAborted();
    await writing(localPath(output), async (folder) => {
      if (trainable.kind === 'lora') await saveAdapter(join(folder, 'adapter'), checkpoint, parameters, trainable);
      await saveCheckpoint(folder, checkpoint, (name) => parameters.read(name), 'F32');
    });
  } finally {
    parameters.dispose();
  }
}

function checkRequest(request: TrainRequest): void {
  for (const field of ['runId', 'streams', 'checkpoint', 'output', 'state'] as const) {
    if (request[field] === '') throw new RpcError('INVALID_ARGUMENT', `set the field \`${field}\``);
  }
  const folders = [request.checkpoint, request.output, request.state].map((place) => resolve(localPath(place)));
  if (new Set(folders).size < folders.length) {
    throw new RpcError('INVALID_ARGUMENT', '`checkpoint`, `output` and `state` must be three different folders');
  }
}
