import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OnnxModel } from './onnx-model.js';
import { openOracleModel, oraclePrompts } from './oracle-model.fixture.js';
import { stored, storedImages, storedRows } from './oracle.fixture.js';

// Tolerances: what float32 rounding may move, measured over many such checkpoints, times 3 to 5.
const FEATURES = 3e-5;
const LOGITS = 1e-4;
const LOG_PROBS = 1e-4;
const ATTENTION = 5e-6;

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
};

describe.each(['cpu', 'cuda'] as const)('with the kernels of the %s provider', (kernels) => {
  let model: OnnxModel;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ model, close } = await openOracleModel({}, kernels));
  });
  afterAll(() => close());

  describe.each([0, 1, 2])('case %i of the transformers reference', (index) => {
    it('has the same image features', async () => {
      const features = await model.encodeImage(storedImages(index));
      const values = features.flatMap((image) => [...image.values]);
      expect(largest(values, stored(`case${index}.image_features`).values)).toBeLessThan(FEATURES);
    });

    it('has the same logits', async () => {
      const logits = await model.logits(await oraclePrompts(model, index));
      const { shape, values } = stored(`case${index}.logits`);
      const [, width, vocabulary] = shape as [number, number, number];
      logits.forEach((own, b) => {
        const theirs = values.slice((b + 1) * width * vocabulary - own.length, (b + 1) * width * vocabulary);
        expect(largest(own, theirs)).toBeLessThan(LOGITS);
      });
    });

    it('generates the same tokens', async () => {
      const answers = await model.generate(await oraclePrompts(model, index), { maxNewTokens: 12, minNewTokens: 12 });
      expect(answers.map(([answer]) => answer!.ids)).toEqual(storedRows(`case${index}.generated_ids`));
    });

    it('gives the answers the same log-probabilities and attention', async () => {
      const labels = stored(`case${index}.tf.labels`);
      const [, width] = labels.shape as [number, number];
      const logProbs = stored(`case${index}.tf.token_logprobs`).values;
      const answers = (await oraclePrompts(model, index)).map((prompt, b) => {
        const at = Array.from({ length: width }, (_, t) => b * width + t).filter((i) => labels.values[i] !== -100);
        const answer = Int32Array.from(at, (i) => labels.values[i]!);
        return { ...prompt, answer, attention: true, expected: at.map((i) => logProbs[i]!) };
      });
      const scored = await model.score(answers);
      scored.forEach((own, b) => expect(largest(own.logProbs, answers[b]!.expected)).toBeLessThan(LOG_PROBS));

      const maps = stored(`case${index}.tf.attention_last_layer`).values;
      const theirs = stored(`case${index}.tf.attention_rows`);
      const offsets = answers.map((_, b) => theirs.values.findIndex((value, i) => i % 2 === 0 && value === b) / 2);
      scored.forEach(({ attention }, b) => {
        const { ids, answer } = answers[b]!;
        const length = ids.length + answer.length;
        answer.forEach((_, j) => {
          const row = maps.slice((offsets[b]! + j) * width, (offsets[b]! + j) * width + length);
          expect(largest(attention!.at(-1)!.slice(j * length, (j + 1) * length), row)).toBeLessThan(ATTENTION);
        });
      });
    });
  });
});
