import { setImmediate as otherWork } from 'node:timers/promises';
import { modelCalls } from '@mpa/telemetry';
import {
  AdamW,
  collate,
  computeProvider,
  disposeLayout,
  globalNorm,
  layOut,
  lossAndGradients,
  scaleGradients,
  tf,
} from '@mpa/tensorflow';
import type { BatchLayout, Tensor, TensorModel } from '@mpa/tensorflow';
import { lossTerms } from './alignment-loss.js';
import type { Coefficients, LossTerm, TermName } from './alignment-loss.js';
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
  /** The terms of the loss, the answer's cross-entropy first. */
  readonly terms: readonly StepTerm[];
}

/** A term of the loss on one step. */
export interface StepTerm {
  readonly name: TermName;
  readonly raw: number;
  /** Times its coefficient: what it adds to the loss. */
  readonly weighted: number;
  /** Questions that had the signal. */
  readonly questions: number;
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
        provider: computeProvider(),
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
  options: TrainOptions,
  rate: number,
): Pick<TrainStep, 'loss' | 'gradientNorm' | 'terms'> {
  const parts = samples.map((part) => partOf(model, part, options));
  const sum = new TermSum(parts, options);
  const gradients = new Map<string, Tensor>();
  for (const part of parts) {
    const { value, gradients: own } = lossAndGradients(model.parameters, () => sum.loss(part));
    value.dispose();
    accumulate(gradients, own);
    disposeLayout(part.layout);
  }
  const { terms } = sum;
  const [{ raw: loss }] = terms as [StepTerm];
  const gradientNorm = globalNorm(gradients);
  const sound = Number.isFinite(gradientNorm) && terms.every(({ raw }) => Number.isFinite(raw));
  if (sound) {
    const { maxGradientNorm } = options;
    if (gradientNorm > maxGradientNorm) scaleGradients(gradients, maxGradientNorm / gradientNorm);
    optimizer.step(gradients, rate);
  }
  tf.dispose([...gradients.values()]);
  if (sound) return { loss, gradientNorm, terms };
  throw new TrainerError(
    'diverged',
    `the loss is ${loss} and its gradient ${gradientNorm} after ${optimizer.steps} steps: use a lower learning rate`,
  );
}

/** One forward pass of a step. */
interface Part {
  readonly layout: BatchLayout;
  readonly terms: readonly LossTerm[];
}

function partOf<C>(model: TensorModel<C>, samples: readonly ReadySample[], options: TrainOptions): Part {
  const { length, weights, ...batch } = collate(samples, model.shape);
  const layout = layOut({ length, weights, ...batch }, model.shape);
  const aims = samples.map((sample) => sample.aims);
  return { layout, terms: lossTerms(model, { layout, length, aims, weights }, options) };
}

/** Joins the terms of a step's forward passes: each is the weighted mean over all of them. */
class TermSum {
  readonly #totals = new Map<TermName, { weight: number; raw: number; questions: number }>();

  constructor(
    parts: readonly Part[],
    private readonly coefficients: Coefficients,
  ) {
    for (const { name, weight, questions } of parts.flatMap(({ terms }) => terms)) {
      const total = this.#totals.get(name) ?? { weight: 0, raw: 0, questions: 0 };
      this.#totals.set(name, { ...total, weight: total.weight + weight, questions: total.questions + questions });
    }
  }

  /** A part's share of the loss [scalar]. */
  loss({ terms }: Part): Tensor {
    const shares = terms.map(({ name, weight, value }) => {
      const total = this.#totals.get(name)!;
      const share = value().mul(weight / total.weight);
      total.raw += share.dataSync()[0]!;
      const coefficient = this.#coefficient(name);
      return coefficient === 1 ? share : share.mul(coefficient);
    });
    return shares.reduce((a, b) => a.add(b)).asScalar();
  }

  /** What the terms came to, once every part's loss was taken. */
  get terms(): StepTerm[] {
    return [...this.#totals].map(([name, { raw, questions }]) => ({
      ...{ name, raw, questions },
      weighted: raw * this.#coefficient(name),
    }));
  }

  #coefficient(name: TermName): number {
    return name === 'answer' ? 1 : this.coefficients[name];
  }
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

function accumulate(sum: Map<string, Tensor>, part: ReadonlyMap<string, Tensor>): void {
  for (const [name, gradient] of part) {
    const old = sum.get(name);
    sum.set(name, old ? old.add(gradient) : gradient);
    if (old) tf.dispose([old, gradient]);
  }
}
