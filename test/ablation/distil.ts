import { join } from 'node:path';
import type { Decision } from '@mpa/contracts';
import { ImageStore } from '@mpa/storage';
import {
  AdamW,
  collate,
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
import { learningRate, repeated, seededRandom, selectedSamples, trainableOf, trainOptions } from '@mpa/trainer';
import type { TrainOptions } from '@mpa/trainer';
import { openCheckpoint, saveCheckpoint } from '@mpa/vlm';
import type { Budget } from './level.js';

const NO_TERMS = { confidence: 0, attention: 0, reasoning: 0 };

/**
 * Plain logit distillation, to compare with: KL(L-VLM || S-VLM) over the vocabulary at every token of the L-VLM's answers. Needs both
 * models at once, and one tokenizer.
 */
export async function distil(
  { teacher, student }: { readonly teacher: string; readonly student: string },
  decisions: readonly Decision[],
  settings: Partial<TrainOptions>,
  { samples }: Budget,
  folder: string,
): Promise<string> {
  const options = trainOptions.parse({ ...settings, epochs: 1 });
  const [large, small] = [await openCheckpoint(teacher), await openCheckpoint(student)];
  const preparing = { images: new ImageStore(), cacheBytes: 2 ** 30, coefficients: NO_TERMS, discrepancyWeight: 0 };
  const { source } = await selectedSamples(decisions, small.processor, preparing);
  const { load, size } = repeated(source, samples, options.seed);
  const fixed = new Parameters(large.weights, { kind: 'named', pattern: /text_model\.norm\.weight$/ }, Math.random);
  const learning = new Parameters(
    small.weights,
    trainableOf(options.trainable, small),
    seededRandom(options.seed).uniform,
  );
  const optimizer = new AdamW(learning, { weightDecay: options.weightDecay });
  try {
    const teaches = new TensorModel(large.family, large.config, fixed);
    const learns = new TensorModel(small.family, small.config, learning);
    const steps = Math.ceil(size / options.batch);
    for (let step = 0; step < steps; step++) {
      const indices = Array.from({ length: options.batch }, (_, i) => step * options.batch + i).filter((i) => i < size);
      const batch = await Promise.all(indices.map(load));
      const [seen, own] = [teaches, learns].map((model) => layOut(collate(batch, model.shape), model.shape));
      const wanted = tf.tidy(() => tf.logSoftmax(logits(teaches, seen!)));
      const { value, gradients } = lossAndGradients(learning, () => {
        const said = tf.logSoftmax(logits(learns, own!));
        return wanted.exp().mul(wanted.sub(said)).sum(1).mean().asScalar();
      });
      const norm = globalNorm(gradients);
      if (norm > options.maxGradientNorm) scaleGradients(gradients, options.maxGradientNorm / norm);
      const warmup = Math.ceil(options.warmup * steps);
      optimizer.step(gradients, learningRate(step, { rate: options.learningRate, warmup, steps }));
      tf.dispose([value, wanted, ...gradients.values()]);
      disposeLayout(seen!);
      disposeLayout(own!);
    }
    const output = join(folder, 'distilled');
    await saveCheckpoint(output, small, (name) => learning.read(name), 'F32');
    return output;
  } finally {
    optimizer.dispose();
    fixed.dispose();
    learning.dispose();
    large.close();
    small.close();
  }
}

/** Logits [tokens of the answers, vocabulary]. */
function logits<C>(model: TensorModel<C>, layout: BatchLayout): Tensor {
  const hidden = model.hidden(layout, model.imageFeatures(layout));
  return model.head(hidden.gather(tf.tensor1d(layout.targets.rows, 'int32')));
}
