import {
  AdamW,
  collate,
  crossEntropy,
  disposeLayout,
  globalNorm,
  layOut,
  lossAndGradients,
  Parameters,
  scaleGradients,
  TensorModel,
  tf,
} from '@mpa/tensorflow';
import type { BatchLayout, Tensor } from '@mpa/tensorflow';
import type { Checkpoint } from '@mpa/vlm';
import { learningRate } from './learning-rate.js';
import { seededRandom } from './random.js';
import type { TrainOptions } from './train-options.js';
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
  readonly rate: number;
  /** Tensors that the backend holds; constant over steps. */
  readonly tensors: number;
}

/** What a training ran into besides the samples. */
export interface TrainContext {
  /** Folder of the training state; picked up again when it is there. */
  readonly state: string;
  readonly onStep: (step: TrainStep) => void | Promise<void>;
  /** Stops after the running step and saves the state. */
  readonly signal?: AbortSignal | undefined;
}

/** The outcome: the parameters, to be saved and freed by the caller; whether all steps were done. */
export interface TrainResult {
  readonly parameters: Parameters;
  readonly steps: number;
  readonly finished: boolean;
}

/**
 * Fine-tunes a checkpoint on the source's samples. The same seed gives the same curve; a run that was killed goes on from
 * its last saved state with the curve of an undisturbed one. Throws TensorflowError if nothing can be trained.
 */
export async function train(
  checkpoint: Checkpoint,
  source: TrainingSource,
  options: TrainOptions,
  context: TrainContext,
): Promise<TrainResult> {
  const random = seededRandom(options.seed);
  const resumed = await loadTrainingState(context.state);
  const parameters = new Parameters(checkpoint.weights, options.trainable, random.uniform);
  resumed?.restoreParameters(parameters);
  const optimizer = new AdamW(parameters, { weightDecay: options.weightDecay });
  if (resumed) optimizer.restore(resumed.optimizer);
  const steps = Math.ceil((source.size * options.epochs) / (options.batch * options.accumulate));
  const model = new TensorModel(checkpoint.family, checkpoint.config, parameters);
  try {
    while (optimizer.steps < steps && !context.signal?.aborted) {
      const rate = learningRate(optimizer.steps, {
        rate: options.rate,
        warmup: Math.ceil(options.warmup * steps),
        steps,
      });
      const result = await optimizerStep(model, optimizer, source, options, rate);
      await context.onStep({ step: optimizer.steps, steps, rate, ...result, tensors: tf.memory().numTensors });
      if (optimizer.steps % options.saveEvery === 0) await saveTrainingState(context.state, parameters, optimizer);
    }
    await saveTrainingState(context.state, parameters, optimizer);
    return { parameters, steps: optimizer.steps, finished: optimizer.steps >= steps };
  } finally {
    optimizer.dispose();
  }
}

async function optimizerStep<C>(
  model: TensorModel<C>,
  optimizer: AdamW,
  source: TrainingSource,
  options: TrainOptions,
  rate: number,
): Promise<{ loss: number; gradientNorm: number }> {
  const layouts = await stepLayouts(model, optimizer.steps, source, options);
  const tokens = layouts.reduce((n, l) => n + weightOf(l), 0);
  let loss = 0;
  const gradients = new Map<string, Tensor>();
  for (const layout of layouts) {
    const share = weightOf(layout) / tokens;
    const part = lossAndGradients(model.parameters, () => batchLoss(model, layout).mul(share).asScalar());
    loss += part.value.dataSync()[0]!;
    part.value.dispose();
    accumulate(gradients, part.gradients);
    disposeLayout(layout);
  }
  const gradientNorm = globalNorm(gradients);
  if (gradientNorm > options.maxNorm) scaleGradients(gradients, options.maxNorm / gradientNorm);
  optimizer.step(gradients, rate);
  tf.dispose([...gradients.values()]);
  return { loss, gradientNorm };
}

/** The micro-batches of one optimizer step. The last step of the training may have fewer samples. */
async function stepLayouts<C>(
  model: TensorModel<C>,
  step: number,
  source: TrainingSource,
  { batch, accumulate: parts, epochs, seed }: TrainOptions,
): Promise<BatchLayout[]> {
  const layouts: BatchLayout[] = [];
  const end = Math.min((step + 1) * batch * parts, source.size * epochs);
  for (let from = step * batch * parts; from < end; from += batch) {
    const positions = Array.from({ length: Math.min(batch, end - from) }, (_, i) => from + i);
    const samples = await Promise.all(positions.map((p) => source.load(sampleAt(p, source.size, seed))));
    layouts.push(layOut(collate(samples, model.shape), model.shape));
  }
  return layouts;
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
