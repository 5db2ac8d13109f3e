import { setImmediate as otherWork } from 'node:timers/promises';
import {
  AdamW,
  collate,
  crossEntropy,
  disposeLayout,
  globalNorm,
  layOut,
  lossAndGradients,
  scaleGradients,
  tf,
} from '@mpa/tensorflow';
import type { BatchLayout, Tensor, TensorModel } from '@mpa/tensorflow';
import { modelCalls } from '@mpa/vlm';
import { encodedSource } from './encoded-source.js';
import type { ReadySample } from './encoded-source.js';
import { learningRate } from './learning-rate.js';
import type { TrainOptions } from './train-options.js';
import { TrainerError } from './trainer-error.js';
import { loadTrainingState, saveTrainingState } from './training-state.js';
import { sampleAt } from './training-source.js';
import type { TrainingSource } from './training-source.js';

/** One optimizer step. */
export interface TrainStep {
  /** Steps done, this one included, and steps in all. */
  readonly step: number;
  readonly steps: number;
  /** Cross-entropy in nats per answer token, before the step. */
  readonly loss: number;
  /** L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Tensors that the backend holds; constant over steps. */
  readonly tensors: number;
}

/** What a training needs besides the samples. */
export interface TrainContext {
  /** Folder of the training state; picked up again when it is there. */
  readonly state: string;
  /** Tells this training from others; see `trainingFingerprint`. */
  readonly fingerprint: string;
  /** Memory for the features of images whose tower does not learn. */
  readonly cacheBytes: number;
  /** Stops after the running step. */
  readonly signal?: AbortSignal | undefined;
}

/** Optimizer steps of a whole training. */
export function stepsOf({ size }: Pick<TrainingSource, 'size'>, { epochs, batch, accumulate }: TrainOptions): number {
  return Math.ceil((size * epochs) / (batch * accumulate));
}

/**
 * Fine-tunes the parameters of `model` on the source's samples, step by step. The same seed gives the same curve; a
 * training that was killed goes on from its last saved state with the curve of an undisturbed one. The state is saved
 * every `saveEvery` steps and at the end, also when the caller stops early or the signal aborts. While it computes
 * a step, the samples of the next are being read. Throws TrainerError `other-training`, `diverged`.
 */
export async function* train<C>(
  model: TensorModel<C>,
  source: TrainingSource,
  options: TrainOptions,
  { state, fingerprint, cacheBytes, signal }: TrainContext,
): AsyncGenerator<TrainStep, void> {
  const optimizer = new AdamW(model.parameters, { weightDecay: options.weightDecay });
  const steps = stepsOf(source, options);
  const warmup = Math.ceil(options.warmup * steps);
  const save = (): Promise<void> => saveTrainingState(state, model.parameters, optimizer, fingerprint);
  let sound = false;
  try {
    await resume(state, fingerprint, model, optimizer);
    sound = true;
    const load = encodedSource(source, model, cacheBytes);
    const loadStep = (step: number): Promise<ReadySample[][]> =>
      loadAhead(positionsOf(step, source.size, options), load);
    let next = loadStep(optimizer.steps);
    while (optimizer.steps < steps && !signal?.aborted) {
      const samples = await next;
      next = loadStep(optimizer.steps + 1);
      // A step blocks the event loop: calls, signals and reads get their turn before it.
      await otherWork();
      const rate = learningRate(optimizer.steps, { rate: options.learningRate, warmup, steps });
      const result = modelCalls.traceSync(() => optimizerStep(model, optimizer, samples, options, rate), {
        kind: 'train',
      });
      if (optimizer.steps % options.saveEvery === 0) await save();
      yield { step: optimizer.steps, steps, learningRate: rate, ...result, tensors: tf.memory().numTensors };
    }
    await next;
  } catch (error) {
    sound = false;
    throw error;
  } finally {
    if (sound) await save();
    optimizer.dispose();
  }
}

async function resume<C>(
  folder: string,
  fingerprint: string,
  { parameters }: TensorModel<C>,
  optimizer: AdamW,
): Promise<void> {
  const saved = await loadTrainingState(folder);
  if (!saved) return;
  try {
    if (saved.fingerprint !== fingerprint) {
      throw new TrainerError(
        'other-training',
        `${folder} holds the state of a training with other samples, options or weights: delete it or name another folder`,
      );
    }
    saved.restoreParameters(parameters);
    optimizer.restore(saved.optimizer);
  } finally {
    saved.close();
  }
}

function optimizerStep<C>(
  model: TensorModel<C>,
  optimizer: AdamW,
  samples: readonly (readonly ReadySample[])[],
  { maxGradientNorm }: TrainOptions,
  rate: number,
): Pick<TrainStep, 'loss' | 'gradientNorm'> {
  const layouts = samples.map((part) => layOut(collate(part, model.shape), model.shape));
  const weight = layouts.reduce((sum, layout) => sum + weightOf(layout), 0);
  const gradients = new Map<string, Tensor>();
  let loss = 0;
  for (const layout of layouts) {
    const share = weightOf(layout) / weight;
    const part = lossAndGradients(model.parameters, () => batchLoss(model, layout).mul(share).asScalar());
    loss += part.value.dataSync()[0]!;
    part.value.dispose();
    accumulate(gradients, part.gradients);
    disposeLayout(layout);
  }
  const gradientNorm = globalNorm(gradients);
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
    if (gradientNorm > maxGradientNorm) scaleGradients(gradients, maxGradientNorm / gradientNorm);
    optimizer.step(gradients, rate);
  }
  tf.dispose([...gradients.values()]);
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) return { loss, gradientNorm };
  throw new TrainerError(
    'diverged',
    `the loss is ${loss} and its gradient ${gradientNorm} after ${optimizer.steps} steps: use a lower learning rate`,
  );
}

/** Which samples each forward pass of one optimizer step takes; the last step may have fewer, one after it none. */
function positionsOf(step: number, size: number, { batch, accumulate: parts, epochs, seed }: TrainOptions): number[][] {
  const passes: number[][] = [];
  const end = Math.min((step + 1) * batch * parts, size * epochs);
  for (let from = step * batch * parts; from < end; from += batch) {
    passes.push(Array.from({ length: Math.min(batch, end - from) }, (_, i) => sampleAt(from + i, size, seed)));
  }
  return passes;
}

function loadAhead(
  passes: readonly (readonly number[])[],
  load: (index: number) => Promise<ReadySample>,
): Promise<ReadySample[][]> {
  const loading = Promise.all(passes.map((indices) => Promise.all(indices.map(load))));
  // It may fail before it is waited for.
  loading.catch(() => undefined);
  return loading;
}

const weightOf = (layout: BatchLayout): number => layout.targets.weights.reduce((sum, w) => sum + w, 0);

function batchLoss<C>(model: TensorModel<C>, layout: BatchLayout): Tensor {
  const hidden = model.hidden(layout, model.imageFeatures(layout));
  return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights);
}

function accumulate(sum: Map<string, Tensor>, part: ReadonlyMap<string, Tensor>): void {
  for (const [name, gradient] of part) {
    const old = sum.get(name);
    sum.set(name, old ? old.add(gradient) : gradient);
    if (old) tf.dispose([old, gradient]);
  }
}
