import { afterAll, beforeAll, expect, it } from 'vitest';
import { measureAgreement } from './agreement.js';
import type { Agreement } from './agreement.js';
import type { KernelSet } from './kernel-set.js';
import type { OnnxModel } from './onnx-model.js';
import { openOracleModel } from './oracle-model.fixture.js';
import { storedImages, storedRows } from './oracle.fixture.js';
import type { Precision } from './precision.js';

let reference: OnnxModel;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ model: reference, close } = await openOracleModel());
});
afterAll(() => close());

async function agreement(precision: Precision, kernels: KernelSet): Promise<Agreement> {
  const prompts = [0, 1, 2].flatMap((index) => {
    const images = storedImages(index);
    return storedRows(`case${index}.input_ids`, `case${index}.attention_mask`).map((ids, i) => ({
      ids,
      images: [images[i]!],
    }));
  });
  const { model, close: closeModel } = await openOracleModel({ precision }, kernels);
  try {
    return await measureAgreement(reference, model, prompts, 12);
  } finally {
    await closeModel();
  }
}

it('float32 agrees with itself', async () => {
  expect(await agreement('float32', 'cpu')).toEqual({
    sameTokens: 1,
    sameAnswers: 1,
    sameNextTokens: 1,
    logits: 0,
    logProbs: 0,
  });
});

// This model's random weights are drawn large, so that rounding shows; bounds are about twice what was measured:
// int8 0.94, 0.8 and 0.08 nats, int4 0.57, 4.8 and 0.54.
it.each(['cpu', 'cuda'] as const)('int8 stays close to float32, with the kernels of %s', async (kernels) => {
  const { sameNextTokens, logits, logProbs } = await agreement('int8', kernels);
  expect(sameNextTokens).toBeGreaterThan(0.88);
  expect(logits).toBeLessThan(1.6);
  expect(logProbs).toBeLessThan(0.16);
});

it.each(['cpu', 'cuda'] as const)('int4 keeps most of what float32 says, with the kernels of %s', async (kernels) => {
  const { sameNextTokens, logits, logProbs } = await agreement('int4', kernels);
  expect(sameNextTokens).toBeGreaterThan(0.4);
  expect(logits).toBeLessThan(8);
  expect(logProbs).toBeLessThan(1);
});
