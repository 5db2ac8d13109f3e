import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '@mpa/vlm';
import type { Checkpoint, ProcessedImage } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureAgreement } from './agreement.js';
import { loadModel } from './load-model.js';
import type { OnnxModel } from './onnx-model.js';
import type { Prompt } from './prompt-batch.js';
import { saveModel } from './save-model.js';

// Images of any size, windows at their edges and M-RoPE: all that tiles do not have.
const folder = fileURLToPath(new URL('../../../test/fixtures/vlm/qwen2_5_vl-a/', import.meta.url));
const cacheDir = mkdtempSync(join(tmpdir(), 'onnx-dynamic-'));

let checkpoint: Checkpoint;
let model: OnnxModel;
/** Of one image, of two of other sizes, of another one, and of none. */
let images: ProcessedImage[][];
let prompts: Prompt[];
beforeAll(async () => {
  checkpoint = await openCheckpoint(folder);
  model = await loadModel(checkpoint, { cacheDir, threads: 1 });
  // The first two are neighbours of one size: one stack.
  images = [[picture(90, 40, 1)], [picture(90, 40, 2), picture(40, 70, 3)], [picture(64, 64, 4)], []];
  prompts = await Promise.all(
    images.map(async (own, i) => ({ ids: ids(own, i), images: await model.encodeImage(own) })),
  );
});
afterAll(async () => {
  await model.close();
  checkpoint.close();
  rmSync(cacheDir, { recursive: true });
});

function picture(width: number, height: number, seed: number): ProcessedImage {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (Math.sin(i * seed) + 1) * 127);
  return checkpoint.processor.image({ width, height, data });
}

function ids(own: readonly ProcessedImage[], i: number): Int32Array {
  const text = { type: 'text', text: 'Is it red?'.repeat(i + 1) } as const;
  const content = [...own.map(() => ({ type: 'image' }) as const), text];
  return checkpoint.processor.prompt([{ role: 'user', content }], own);
}

it('sees images of several sizes as it sees each alone', async () => {
  const flat = images.flat();
  const together = await model.encodeImage(flat);
  for (const [i, image] of flat.entries()) {
    const [alone] = await model.encodeImage([image]);
    expect(together[i]!.grid).toEqual(image.grid);
    // Matrix products of other sizes add up in another order: float32 rounding.
    together[i]!.values.forEach((value, at) => expect(value).toBeCloseTo(alone!.values[at]!, 4));
  }
});

describe('a batch of prompts on images of several sizes', () => {
  it('generates what each prompt alone does', async () => {
    const options = { maxNewTokens: 10, minNewTokens: 10 };
    const together = await model.generate(prompts, options);
    for (const [i, prompt] of prompts.entries()) {
      const [[alone] = []] = await model.generate([prompt], options);
      expect(together[i]![0]!.ids).toEqual(alone!.ids);
    }
  });

  // The prefill has every token's own position, decoding counts on from the last one.
  it('has the log-probabilities in decoding that scoring gives', async () => {
    const generated = await model.generate(prompts, { maxNewTokens: 8, minNewTokens: 8, temperature: 1.5 });
    const scored = await model.score(prompts.map((prompt, i) => ({ ...prompt, answer: generated[i]![0]!.ids })));
    generated.forEach(([answer], i) =>
      answer!.logProbs.forEach((value, t) => expect(value).toBeCloseTo(scored[i]!.logProbs[t]!, 4)),
    );
  });

  it('draws several answers from one prefill', async () => {
    const options = { maxNewTokens: 6, minNewTokens: 6, temperature: 1, answers: 2, seed: 3 };
    const together = await model.generate(prompts, options);
    for (const [i, prompt] of prompts.entries()) {
      const [alone] = await model.generate([prompt], options);
      expect(together[i]!.map((answer) => answer.ids)).toEqual(alone!.map((answer) => answer.ids));
    }
  });
});

// This model's random weights are drawn large, so that rounding shows; bounds are about twice what was measured:
// int8 0.87, 2.8 and 0.10 nats, int4 0.45, 5.9 and 0.88.
it.each([
  ['int8', { sameNextTokens: 0.74, logits: 5.6, logProbs: 0.2 }],
  ['int4', { sameNextTokens: 0.25, logits: 12, logProbs: 1.8 }],
] as const)('keeps in %s what it says in float32', async (precision, bounds) => {
  const rounded = await loadModel(checkpoint, { cacheDir, threads: 1, precision });
  const asked = prompts.slice(0, 3).map((prompt, i) => ({ ids: prompt.ids, images: images[i]! }));
  const found = await measureAgreement(model, rounded, asked, 12);
  await rounded.close();
  expect(found.sameNextTokens).toBeGreaterThan(bounds.sameNextTokens);
  expect(found.logits).toBeLessThan(bounds.logits);
  expect(found.logProbs).toBeLessThan(bounds.logProbs);
});

it('is exported with a meaning for every input and output', async () => {
  const folder = join(cacheDir, 'saved');
  mkdirSync(folder);
  const graphs = await saveModel(checkpoint, folder);
  const values = graphs.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]);
  expect(values.map(({ name }) => name)).toEqual(expect.arrayContaining(['windows', 'positions', 'nextPositions']));
  expect(values.filter(({ meaning }) => meaning === '')).toEqual([]);
});
