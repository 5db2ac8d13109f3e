import { writeFileSync } from 'node:fs';
import { drawSample } from '@mpa/benchmarks';
import { loadModel } from '@mpa/onnx';
import type { OnnxModel, Precision } from '@mpa/onnx';
import {
  AdamW,
  collate,
  disposeLayout,
  IGNORED,
  layOut,
  loadTensorflow,
  Parameters,
  TensorModel,
  tf,
} from '@mpa/tensorflow';
import { openCheckpoint, saveCheckpoint } from '@mpa/vlm';
import type { Checkpoint, ProcessedImage } from '@mpa/vlm';
import { peakMemory } from '../bench/peak-memory.js';
import { trainable } from '../bench/subject.js';
import { trainOnce } from '../bench/train-once.js';

/** What one step prints: its time, and the most memory that its process had (mapped files count). */
export interface StepReport {
  readonly seconds: number;
  readonly peakBytes: number;
  /** Step `answer`: the tokens. Step `train`: the losses. */
  readonly values?: readonly number[];
}

/**
 * One step of a full-size checkpoint's way through the project, in a process of its own so that its memory can be told:
 * `node full-size-step.js STEP CHECKPOINT CACHE [OUT] [PRECISION]`.
 */
const steps: Readonly<Record<string, (arguments_: StepArguments) => Promise<readonly number[] | undefined>>> = {
  load: ({ checkpoint }) => {
    for (const name of checkpoint.weights.names) checkpoint.weights.read(name);
    return Promise.resolve(undefined);
  },
  export: async ({ checkpoint, ...options }) => {
    await (await loadModel(checkpoint, options)).close();
    return undefined;
  },
  answer: async ({ checkpoint, ...options }) => {
    const model = await loadModel(checkpoint, options);
    const { ids, images } = await question(checkpoint);
    const [features] = await model.encodeImage(images);
    const [generated] = await model.generate([{ ids, images: [features!] }], { maxNewTokens: 16 });
    await model.close();
    return [...generated![0]!.ids];
  },
  train: ({ checkpoint, out }) => train(checkpoint, out),
  logits: async ({ checkpoint, out, ...options }) => {
    const model = await loadModel(checkpoint, options);
    await writeLogits(checkpoint, model, out);
    await model.close();
    return undefined;
  },
};

interface StepArguments {
  readonly checkpoint: Checkpoint;
  readonly cacheDir: string;
  readonly out: string;
  readonly precision: Precision;
}

/** A drawn chart as one tile, with a question about it. */
async function question({ processor }: Checkpoint): Promise<{ ids: Int32Array; images: ProcessedImage[] }> {
  const { pixels, image, questions } = await drawSample('chartqa', 'test', 1);
  const seen = processor.image({ width: image.width, height: image.height, data: pixels }, { split: false });
  const content = [{ type: 'image' }, { type: 'text', text: questions[0]!.question }] as const;
  return { ids: processor.prompt([{ role: 'user', content }], [seen]), images: [seen] };
}

/** Five LoRA steps on q_proj and v_proj, merged and saved to `out`. */
async function train(checkpoint: Checkpoint, out: string): Promise<readonly number[]> {
  await loadTensorflow({ backend: 'native' });
  const parameters = new Parameters(checkpoint.weights, trainable(checkpoint, 'LoRA'), evenlySpread());
  const model = new TensorModel(checkpoint.family, checkpoint.config, parameters);
  const optimizer = new AdamW(parameters, { weightDecay: 0.01 });
  const { ids, images } = await question(checkpoint);
  const answer = checkpoint.processor.answer('42');
  const tokens = Int32Array.from([...ids, ...answer]);
  const labels = tokens.map((id, i) => (i < ids.length ? IGNORED : id));
  const layout = layOut(collate([{ ids: tokens, labels, images }], model.shape), model.shape);
  const features = tf.tidy(() => model.imageFeatures(layout));
  const step = { layout, features, rate: 1e-3 };
  const losses = Array.from({ length: 5 }, () => trainOnce(model, parameters, optimizer, step));
  disposeLayout(layout);
  await saveCheckpoint(out, checkpoint, (name) => parameters.read(name), 'F32');
  return losses;
}

/** A low-discrepancy sequence in [0, 1): the same in every run. */
function evenlySpread(): () => number {
  let value = 0;
  return () => (value = (value + 0.618_033_988_75) % 1);
}

/** Writes what another implementation needs to compute the same logits, and the logits. */
async function writeLogits(checkpoint: Checkpoint, model: OnnxModel, out: string): Promise<void> {
  const { ids, images } = await question(checkpoint);
  const [logits] = await model.logits([{ ids, images: await model.encodeImage(images) }]);
  writeFileSync(`${out}.ids`, ids);
  writeFileSync(`${out}.pixels`, images[0]!.vision.pixels.data);
  writeFileSync(`${out}.shape`, JSON.stringify(images[0]!.vision.pixels.shape));
  writeFileSync(`${out}.logits`, logits!);
}

const [step = '', folder = '', cacheDir = '', out = '', precision = 'float32'] = process.argv.slice(2);
const start = performance.now();
const checkpoint = await openCheckpoint(folder);
const values = await steps[step]!({ checkpoint, cacheDir, out, precision: precision as Precision });
checkpoint.close();
const report: StepReport = {
  seconds: (performance.now() - start) / 1000,
  peakBytes: peakMemory(),
  ...(values && { values }),
};
console.log(JSON.stringify(report));
