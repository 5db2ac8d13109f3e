import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '@mpa/vlm';
import type { Checkpoint, ImageInput, ProcessedImage } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collate, IGNORED } from './batch.js';
import type { EncodedImage, TrainingSample } from './batch.js';
import { lossAndGradients } from './gradients.js';
import { disposeLayout, layOut } from './layout.js';
import { loadTensorflow } from './load.js';
import { packTurns } from './pack.js';
import { Parameters } from './parameters.js';
import type { Trainable } from './parameters.js';
import { crossEntropy, TensorModel } from './tensor-model.js';
import { tf } from './tf.js';

// Images of any size, windows at their edges and M-RoPE: all that tiles do not have.
const folder = fileURLToPath(new URL('../../../test/fixtures/vlm/qwen2_5_vl-a/', import.meta.url));

let checkpoint: Checkpoint;
let images: ProcessedImage[];
let samples: TrainingSample[];
beforeAll(async () => {
  await loadTensorflow({ backend: 'native' });
  checkpoint = await openCheckpoint(folder);
  // The first two are neighbours of one size: one stack.
  images = [picture(90, 40, 1), picture(90, 40, 2), picture(40, 70, 3), picture(64, 64, 4)];
  samples = [
    sample(images.slice(0, 1), 'Is it red?', 'Yes'),
    sample(images.slice(1, 3), 'Compare them.', 'There are 3 shapes.'),
    sample(images.slice(3), 'What?', 'STOP 7'),
  ];
});
afterAll(() => checkpoint.close());

function picture(width: number, height: number, seed: number): ProcessedImage {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (Math.sin(i * seed) + 1) * 127);
  return checkpoint.processor.image({ width, height, data });
}

function promptOf(own: readonly ProcessedImage[], text: string): Int32Array {
  const content = [...own.map(() => ({ type: 'image' }) as const), { type: 'text', text } as const];
  return checkpoint.processor.prompt([{ role: 'user', content }], own);
}

function sample(own: readonly ProcessedImage[], text: string, answer: string): TrainingSample {
  const prompt = promptOf(own, text);
  const ids = Int32Array.from([...prompt, ...checkpoint.processor.answer(answer)]);
  return { ids, labels: ids.map((id, i) => (i < prompt.length ? IGNORED : id)), images: own };
}

type Model = TensorModel<unknown>;

function newModel(trainable: Trainable = { kind: 'full' }): Model {
  const parameters = new Parameters(checkpoint.weights, trainable, () => 0.3);
  return new TensorModel(checkpoint.family, checkpoint.config, parameters);
}

function evaluate(
  model: Model,
  batch: readonly TrainingSample<ImageInput | EncodedImage>[],
): { loss: number; labels: number; gradients: Map<string, Float32Array> } {
  const layout = layOut(collate(batch, model.shape), model.shape);
  const { value, gradients } = lossAndGradients(model.parameters, () => {
    const hidden = model.hidden(layout, model.imageFeatures(layout));
    return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights);
  });
  const read = new Map([...gradients].map(([name, g]) => [name, g.dataSync<'float32'>()]));
  const result = { loss: value.dataSync()[0]!, labels: layout.targets.tokens.length, gradients: read };
  tf.dispose([value, ...gradients.values()]);
  disposeLayout(layout);
  return result;
}

/** Float32 sums in another order, relative to a gradient's norm. */
const SUMS = 1e-4;

function expectClose(found: Float32Array, expected: ArrayLike<number>, name: string): void {
  const norm = Math.sqrt(found.reduce((sum, x) => sum + x * x, 0));
  const most = found.reduce((largest, x, i) => Math.max(largest, Math.abs(x - expected[i]!)), 0);
  expect(most, name).toBeLessThan(SUMS * Math.max(norm, 1e-2));
}

describe('images of several sizes', () => {
  it('give a batch the loss and gradients of its samples alone', () => {
    const model = newModel();
    const together = evaluate(model, samples);
    const alone = samples.map((one) => evaluate(model, [one]));
    const labels = alone.reduce((sum, one) => sum + one.labels, 0);
    const mean = (of: (one: (typeof alone)[number]) => number): number =>
      alone.reduce((sum, one) => sum + of(one) * one.labels, 0) / labels;
    expect(together.loss).toBeCloseTo(mean(({ loss }) => loss), 5); // prettier-ignore
    for (const [name, gradient] of together.gradients) {
      expectClose(gradient, gradient.map((_, i) => mean(({ gradients }) => gradients.get(name)![i]!)), name); // prettier-ignore
    }
    model.parameters.dispose();
  });

  it('have the gradient that finite differences give, through windows, merger and rotation', () => {
    const model = newModel();
    const { gradients } = evaluate(model, samples);
    const step = 5e-4;
    for (const name of [
      'visual.patch_embed.proj.weight',
      'visual.blocks.0.attn.qkv.weight', // in windows
      'visual.blocks.1.attn.qkv.bias', // over the whole image
      'visual.blocks.2.mlp.gate_proj.weight',
      'visual.merger.ln_q.weight',
      'model.layers.0.self_attn.k_proj.weight',
    ]) {
      const values = model.parameters.read(name).slice();
      const { shape } = model.parameters.get(name);
      // Along the gradient, where the loss changes most for a step of this length.
      const gradient = gradients.get(name)!;
      const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      const lossAt = (t: number): number => {
        model.parameters.assign(name, tf.tensor(values.map((v, i) => v + (t * gradient[i]!) / norm), shape)); // prettier-ignore
        return evaluate(model, samples).loss;
      };
      const measured = (lossAt(step) - lossAt(-step)) / (2 * step);
      lossAt(0);
      // Central differences of a float32 loss around 7: rounding (5e-7 / step, of gradients above 0.2) and curvature leave less than 1 %.
      expect(Math.abs(measured - norm) / norm, name).toBeLessThan(0.02);
    }
    model.parameters.dispose();
  }, 120_000);

  it('can be encoded beforehand, one by one', () => {
    const modules = checkpoint.family.textModules(checkpoint.config, ['q_proj', 'down_proj']);
    const model = newModel({ kind: 'lora', rank: 2, alpha: 4, modules });
    const before = tf.memory().numTensors;
    const encoded = samples.map((one) => ({
      ...one,
      images: one.images.map((image) => ({ ...image, features: model.frozenFeatures(image)! })),
    }));
    expect(tf.memory().numTensors).toBe(before);
    const [expected, found] = [evaluate(model, samples), evaluate(model, encoded)];
    expect(found.loss).toBeCloseTo(expected.loss, 5);
    for (const [name, gradient] of found.gradients) expectClose(gradient, expected.gradients.get(name)!, name);
    expect(tf.memory().numTensors).toBe(before);
    model.parameters.dispose();
  });
});

it('packed turns on one image have the loss of separate sequences', () => {
  const model = newModel();
  const turns = [
    ['Is it red?', 'Yes'],
    ['Is it blue? Say so.', 'No, it is green.'],
    ['What?', 'STOP 7'],
  ] as const;
  const own = images.slice(1, 3);
  const { processor } = checkpoint;
  const packed = packTurns(turns.map(([text, answer]) => ({ prompt: promptOf(own, text), answer: processor.answer(answer) })), own); // prettier-ignore
  const separate = turns.map(([text, answer]) => sample(own, text, answer));
  expect(packed.ids.length).toBeLessThan(0.6 * separate.reduce((sum, { ids }) => sum + ids.length, 0));
  const [one, many] = [evaluate(model, [packed]), evaluate(model, separate)];
  expect(one.loss).toBeCloseTo(many.loss, 5);
  for (const [name, gradient] of one.gradients) expectClose(gradient, many.gradients.get(name)!, name);
  model.parameters.dispose();
});

it('takes the same gradients on WebAssembly', async () => {
  const native = newModel();
  const expected = evaluate(native, samples);
  native.parameters.dispose();
  await loadTensorflow({ backend: 'wasm' });
  try {
    const model = newModel();
    const found = evaluate(model, samples);
    expect(found.loss).toBeCloseTo(expected.loss, 4);
    for (const [name, gradient] of found.gradients) expectClose(gradient, expected.gradients.get(name)!, name);
    model.parameters.dispose();
  } finally {
    await loadTensorflow({ backend: 'native' });
  }
}, 60_000);
