import { loadModel } from '@mpa/onnx';
import type { OnnxModel } from '@mpa/onnx';
import { AdamW, collate, disposeLayout, IGNORED, layOut, Parameters, TensorModel, tf } from '@mpa/tensorflow';
import type { Trainable } from '@mpa/tensorflow';
import { trainOnce } from './train-once.js';
import type { Checkpoint, ProcessedImage, SmolVlmConfig } from '@mpa/vlm';

/** The prompt that both sides read: 128 tokens with one image among them, and how many are answered or generated. */
export interface Workload {
  readonly ids: Int32Array;
  readonly newTokens: number;
  readonly answerTokens: number;
}

/** A prompt of `length` tokens around the placeholders of one tile. */
export function workload(checkpoint: Checkpoint, length = 128, newTokens = 32): Workload {
  const { imageTokenId, vocabSize } = checkpoint.shape;
  const { tokens } = noiseImage(checkpoint);
  const ids = Int32Array.from({ length }, (_, i) => {
    if (i >= 4 && i < 4 + tokens) return imageTokenId;
    return 5 + ((i * 7919) % (Math.min(vocabSize, imageTokenId) - 5));
  });
  return { ids, newTokens, answerTokens: 16 };
}

/** Pixels per side of a tile. */
export function tileSide({ config }: Checkpoint): number {
  return (config as SmolVlmConfig).vision.imageSize;
}

/** Noise of the size of one tile: what is on the image does not change how long it takes. */
function noiseImage(checkpoint: Checkpoint): ProcessedImage {
  const side = tileSide(checkpoint);
  const data = Uint8Array.from({ length: 3 * side ** 2 }, (_, i) => (Math.sin(i * 12.9898) + 1) * 127);
  return checkpoint.processor.image({ width: side, height: side, data }, { split: false });
}

/** Opens the model for generation; {@link generateOnce} then times it. */
export function openForGeneration(
  checkpoint: Checkpoint,
  options: { precision: 'float32' | 'int8'; threads: number; cacheDir: string },
): Promise<OnnxModel> {
  return loadModel(checkpoint, options);
}

/** Seconds to read `batch` images and prompts, and to generate. */
export async function generateOnce(
  model: OnnxModel,
  checkpoint: Checkpoint,
  work: Workload,
  batch: number,
): Promise<number> {
  const image = noiseImage(checkpoint);
  const images = Array.from({ length: batch }, () => image);
  const start = performance.now();
  const features = await model.encodeImage(images);
  await model.generate(
    features.map((feature) => ({ ids: work.ids, images: [feature] })),
    { maxNewTokens: work.newTokens, minNewTokens: work.newTokens },
  );
  return (performance.now() - start) / 1000;
}

/** What learns: everything, or low-rank updates of the queries' and values' projections. */
export function trainable(checkpoint: Checkpoint, way: 'full' | 'LoRA'): Trainable {
  if (way === 'full') return { kind: 'full' };
  const modules = checkpoint.family.textModules(checkpoint.config, ['q_proj', 'v_proj']);
  return { kind: 'lora', rank: 8, alpha: 16, modules };
}

/** Seconds of one training step (the fastest of `steps` but the first), forward, backward and AdamW. */
export function trainStep(
  checkpoint: Checkpoint,
  work: Workload,
  batch: number,
  learning: Trainable,
  steps: number,
): number {
  const parameters = new Parameters(checkpoint.weights, learning, () => 0.5);
  const model = new TensorModel(checkpoint.family, checkpoint.config, parameters);
  const optimizer = new AdamW(parameters, { weightDecay: 0.01 });
  const labels = work.ids.map((id, i) => (i < work.ids.length - work.answerTokens ? IGNORED : id));
  const sample = { ids: work.ids, labels, images: [noiseImage(checkpoint)] };
  const batched = collate(
    Array.from({ length: batch }, () => sample),
    model.shape,
  );
  const frozenVision = learning.kind === 'lora';
  let best = Infinity;
  for (let step = 0; step < steps; step++) {
    const start = performance.now();
    const layout = layOut(batched, model.shape);
    const features = frozenVision ? tf.tidy(() => model.imageFeatures(layout)) : undefined;
    trainOnce(model, parameters, optimizer, { layout, features, rate: 1e-5 });
    if (features) features.dispose();
    disposeLayout(layout);
    if (step > 0) best = Math.min(best, (performance.now() - start) / 1000);
  }
  optimizer.dispose();
  parameters.dispose();
  return best;
}
