import { smolVlm } from '@mpa/vlm';
import type { ImageInput } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdamW } from './adamw.js';
import { collate } from './batch.js';
import type { EncodedImage, TrainingSample } from './batch.js';
import { lossAndGradients } from './gradients.js';
import { disposeLayout, layOut } from './layout.js';
import { loadTensorflow } from './load.js';
import { packTurns } from './pack.js';
import { Parameters } from './parameters.js';
import type { Trainable } from './parameters.js';
import { crossEntropy, TensorModel } from './tensor-model.js';
import { TensorflowError } from './tensorflow-error.js';
import { tf } from './tf.js';
import type { Tensor } from './tf.js';
import { numbers, tinyConfig, tinyImage, tinyPrompt, tinySample, tinyWeights } from './tiny-model.fixture.js';

type Model = TensorModel<typeof tinyConfig>;

function newModel(trainable: Trainable = { kind: 'full' }): Model {
  return new TensorModel(smolVlm, tinyConfig, new Parameters(tinyWeights(1), trainable, numbers(2)));
}

function evaluate(
  model: Model,
  samples: readonly TrainingSample<ImageInput | EncodedImage>[],
): { loss: number; gradients: Map<string, Float32Array> } {
  const layout = layOut(collate(samples, model.shape), model.shape);
  const { value, gradients } = lossAndGradients(model.parameters, () => {
    const hidden = model.hidden(layout, model.imageFeatures(layout));
    return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights);
  });
  const read = new Map([...gradients].map(([name, g]) => [name, g.dataSync<'float32'>()]));
  const result = { loss: value.dataSync()[0]!, gradients: read };
  tf.dispose([value, ...gradients.values()]);
  disposeLayout(layout);
  return result;
}

const image = tinyImage(3);
const samples = [tinySample(image, [5, 6, 7], [8, 9, 10]), tinySample(tinyImage(4), [5, 11], [12, 13, 14, 15, 2])];

describe('a model on TensorFlow', () => {
  beforeAll(async () => {
    await loadTensorflow({ backend: 'native' });
  });
  afterAll(() => tf.disposeVariables());

  it('has the gradient that finite differences give', () => {
    const model = newModel();
    const { gradients } = evaluate(model, samples);
    const step = 1e-2;
    for (const name of [
      'model.text_model.layers.0.self_attn.q_proj.weight',
      'model.vision_model.encoder.layers.0.mlp.fc1.weight',
      'model.text_model.norm.weight',
      'model.vision_model.post_layernorm.bias',
      'model.text_model.embed_tokens.weight',
      'model.vision_model.embeddings.patch_embedding.weight',
    ]) {
      const values = model.parameters.read(name).slice();
      const { shape } = model.parameters.get(name);
      const direction = values.map((_, i) => Math.sin(i + 1));
      const lossAt = (t: number): number => {
        model.parameters.assign(
          name,
          tf.tensor(
            values.map((v, i) => v + t * direction[i]!),
            shape,
          ),
        );
        return evaluate(model, samples).loss;
      };
      const measured = (lossAt(step) - lossAt(-step)) / (2 * step);
      lossAt(0);
      const expected = gradients.get(name)!.reduce((sum, g, i) => sum + g * direction[i]!, 0);
      // Central differences of a float32 loss: curvature (step^2) and rounding (1e-7 / step) leave about 1 %.
      expect(Math.abs(measured - expected), name).toBeLessThan(0.02 * Math.max(1, Math.abs(expected)));
    }
    model.parameters.dispose();
  });

  it('gives a padded batch the loss and gradients of its samples alone', () => {
    const model = newModel();
    const together = evaluate(model, samples);
    const alone = samples.map((sample) => evaluate(model, [sample]));
    const tokens = [3, 5];
    const mean = (alone[0]!.loss * tokens[0]! + alone[1]!.loss * tokens[1]!) / 8;
    expect(together.loss).toBeCloseTo(mean, 5);
    for (const [name, gradient] of together.gradients) {
      gradient.forEach((g, i) => {
        const expected = (alone[0]!.gradients.get(name)![i]! * 3 + alone[1]!.gradients.get(name)![i]! * 5) / 8;
        expect(Math.abs(g - expected), name).toBeLessThan(1e-4); // float32 sums in another order
      });
    }
    model.parameters.dispose();
  });

  it('gives packed turns the loss of separate sequences', () => {
    const model = newModel();
    const turns = [
      { words: [5, 6, 7], answer: [8, 9, 10] },
      { words: [5, 6, 20, 21], answer: [22, 2] },
      { words: [30], answer: [31, 32, 33, 2] },
    ];
    const separate = turns.map(({ words, answer }) => tinySample(image, words, answer));
    const packed = packTurns(
      turns.map(({ words, answer }) => ({ prompt: tinyPrompt(words), answer: Int32Array.from(answer) })),
      [image],
    );
    expect(packed.ids.length).toBeLessThan(separate.reduce((n, s) => n + s.ids.length, 0));
    const [one, many] = [evaluate(model, [packed]), evaluate(model, separate)];
    expect(one.loss).toBeCloseTo(many.loss, 5);
    for (const [name, gradient] of one.gradients) {
      const expected = many.gradients.get(name)!;
      gradient.forEach((g, i) => expect(Math.abs(g - expected[i]!), name).toBeLessThan(1e-4));
    }
    model.parameters.dispose();
  });

  it('changes nothing with a fresh LoRA, trains only its matrices, and merges them', () => {
    const modules = smolVlm.textModules(tinyConfig, ['q_proj', 'v_proj']);
    const plain = newModel();
    const adapted = newModel({ kind: 'lora', rank: 2, alpha: 4, modules });
    const before = evaluate(adapted, samples);
    expect(before.loss).toBe(evaluate(plain, samples).loss);
    expect([...before.gradients.keys()].every((name) => /lora_[AB]$/.test(name))).toBe(true);
    const module = modules[0]!;
    const b = adapted.parameters.get(`${module}.lora_B`);
    adapted.parameters.assign(`${module}.lora_B`, tf.fill(b.shape, 0.1));
    const merged = adapted.parameters.read(`${module}.weight`);
    plain.parameters.assign(`${module}.weight`, tf.tensor(merged, plain.parameters.get(`${module}.weight`).shape));
    expect(evaluate(plain, samples).loss).toBeCloseTo(evaluate(adapted, samples).loss, 5);
    plain.parameters.dispose();
    adapted.parameters.dispose();
  });

  it('learns from frozen features what it learns from pixels', () => {
    const modules = smolVlm.textModules(tinyConfig, ['q_proj', 'v_proj']);
    const model = newModel({ kind: 'lora', rank: 2, alpha: 4, modules });
    for (const module of modules) {
      // Away from zero, where A would have no gradient.
      const b = model.parameters.get(`${module}.lora_B`);
      model.parameters.assign(`${module}.lora_B`, tf.fill(b.shape, 0.1));
    }
    const onPixels = [...samples, tinySample(tinyImage(9), [5, 6], [7, 8])];
    const before = tf.memory().numTensors;
    const onFeatures = onPixels.map((sample) => ({
      ...sample,
      images: sample.images.map((seen) => ({ features: model.frozenFeatures(seen)!, tokens: seen.tokens })),
    }));
    expect(tf.memory().numTensors).toBe(before);
    const [expected, found] = [evaluate(model, onPixels), evaluate(model, onFeatures)];
    expect(found.loss).toBeCloseTo(expected.loss, 6);
    expect([...found.gradients.keys()]).toEqual([...expected.gradients.keys()]);
    for (const [name, gradient] of found.gradients) {
      // The tower multiplies one image at a time instead of three: float32 sums may round differently.
      gradient.forEach((g, i) => expect(Math.abs(g - expected.gradients.get(name)![i]!), name).toBeLessThan(1e-6));
    }
    expect(() => collate([onPixels[0]!, onFeatures[1]!], model.shape)).toThrow(TensorflowError);
    model.parameters.dispose();
  });

  it('has no frozen features where the tower or the connector learns', () => {
    for (const pattern of [/vision_model.*fc1/, /connector/]) {
      const model = newModel({ kind: 'named', pattern });
      expect(model.frozenFeatures(image)).toBeUndefined();
      model.parameters.dispose();
    }
    const text = newModel({ kind: 'named', pattern: /text_model/ });
    expect(text.frozenFeatures(image)).toHaveLength(4 * text.shape.hiddenSize);
    text.parameters.dispose();
  });

  it('sends no gradient back to a frozen tower, and the same ones to everything after it', () => {
    const model = newModel();
    const layout = layOut(collate(samples, model.shape), model.shape);
    const gradientsOf = (frozenTower: boolean): Map<string, Tensor> => {
      const { value, gradients } = lossAndGradients(model.parameters, () => {
        const hidden = model.hidden(layout, model.imageFeatures(layout, { frozenTower }));
        return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights);
      });
      value.dispose();
      return gradients;
    };
    const [all, some] = [gradientsOf(false), gradientsOf(true)];
    for (const [name, gradient] of all) {
      const found = some.get(name)!.dataSync();
      if (!name.includes('vision_model')) expect(found, name).toEqual(gradient.dataSync());
      else expect(found.every((value) => value === 0), name).toBe(true); // prettier-ignore
    }
    expect([...all].some(([name, g]) => name.includes('vision_model') && g.dataSync().some((v) => v !== 0))).toBe(true);
    tf.dispose([...all.values(), ...some.values()]);
    disposeLayout(layout);
    model.parameters.dispose();
  });

  it('leaks no tensor over training steps', () => {
    const model = newModel();
    const optimizer = new AdamW(model.parameters, { weightDecay: 0.01 });
    const counts = Array.from({ length: 4 }, () => {
      const layout = layOut(collate(samples, model.shape), model.shape);
      const { value, gradients } = lossAndGradients(model.parameters, () => {
        const hidden = model.hidden(layout, model.imageFeatures(layout));
        return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights);
      });
      optimizer.step(gradients, 1e-3);
      tf.dispose([value, ...gradients.values()]);
      disposeLayout(layout);
      return tf.memory().numTensors;
    });
    expect(new Set(counts.slice(1)).size).toBe(1);
    optimizer.dispose();
    model.parameters.dispose();
  });

  it('refuses a sample whose placeholders do not match its images', () => {
    const shape = smolVlm.shape(tinyConfig);
    expect(() => collate([{ ...samples[0]!, images: [] }], shape)).toThrow(TensorflowError);
  });

  it('takes the same training step on WebAssembly', async () => {
    const losses: number[][] = [];
    for (const backend of ['native', 'wasm'] as const) {
      await loadTensorflow({ backend });
      const model = newModel();
      const optimizer = new AdamW(model.parameters, { weightDecay: 0.01 });
      const layout = layOut(collate(samples, model.shape), model.shape);
      const seen: number[] = [];
      for (let step = 0; step < 2; step++) {
        const { value, gradients } = lossAndGradients(model.parameters, () => {
          const hidden = model.hidden(layout, model.imageFeatures(layout));
          return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights);
        });
        seen.push(value.dataSync()[0]!);
        optimizer.step(gradients, 1e-3);
        tf.dispose([value, ...gradients.values()]);
      }
      losses.push(seen);
      disposeLayout(layout);
      optimizer.dispose();
      model.parameters.dispose();
    }
    const [native, wasm] = losses as [number[], number[]];
    expect(wasm[0]).toBeCloseTo(native[0]!, 4);
    expect(wasm[1]).toBeCloseTo(native[1]!, 3); // AdamW's first step turns rounding of small gradients into up to +-rate
    await loadTensorflow({ backend: 'native' });
  });
});
