import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OnnxModel } from './onnx-model.js';
import { OnnxError } from './onnx-error.js';
import { openOracleModel, oraclePrompts } from './oracle-model.fixture.js';
import { storedImages } from './oracle.fixture.js';
import type { ImageFeatures, Prompt } from './prompt-batch.js';

const END = 559;

let model: OnnxModel;
let close: () => Promise<void>;
/** Four prompts of different lengths: with one image, with two, and without. */
let prompts: Prompt[];
beforeAll(async () => {
  ({ model, close } = await openOracleModel());
  const cases = await Promise.all([0, 1, 2].map((index) => oraclePrompts(model, index)));
  prompts = [...cases.flat(), { ids: Int32Array.of(7, 30, 112), images: [] }];
});
afterAll(() => close());

const each = <R>(run: (prompt: Prompt) => Promise<R[]>): Promise<R[]> =>
  Promise.all(prompts.map(async (prompt) => (await run(prompt))[0]!));

describe('batches', () => {
  it('give every prompt what it gives alone', async () => {
    const options = { maxNewTokens: 10 };
    const together = await model.generate(prompts, options);
    const alone = await each((prompt) => model.generate([prompt], options));
    expect(together.map(([answer]) => answer!.ids)).toEqual(alone.map(([answer]) => answer!.ids));
    together.forEach(([answer], i) =>
      answer!.logProbs.forEach((value, t) => expect(value).toBeCloseTo(alone[i]![0]!.logProbs[t]!, 4)),
    );
  });

  it('score every answer as alone', async () => {
    const samples = prompts.map((prompt, i) => ({ ...prompt, answer: Int32Array.of(20 + i, 40, 60 + i).slice(i % 2) }));
    const together = await model.score(samples.map((sample, i) => ({ ...sample, attention: i !== 1 })));
    for (const [i, sample] of samples.entries()) {
      const [alone] = await model.score([{ ...sample, attention: true }]);
      together[i]!.logProbs.forEach((value, t) => expect(value).toBeCloseTo(alone!.logProbs[t]!, 4));
      if (i === 1) expect(together[i]!.attention).toBeUndefined();
      else together[i]!.attention![0]!.forEach((p, k) => expect(p).toBeCloseTo(alone!.attention![0]![k]!, 5));
    }
  });

  it('are empty without prompts', async () => {
    expect(await model.generate([], { maxNewTokens: 3 })).toEqual([]);
    expect(await model.score([])).toEqual([]);
    expect(await model.encodeImage([])).toEqual([]);
  });
});

describe('generation', () => {
  it('returns the log-probabilities that scoring the answer gives', async () => {
    const answers = await model.generate(prompts, { maxNewTokens: 8, minNewTokens: 8, temperature: 1.5, topP: 0.9 });
    const scored = await model.score(prompts.map((prompt, i) => ({ ...prompt, answer: answers[i]![0]!.ids })));
    answers.forEach(([answer], i) =>
      answer!.logProbs.forEach((value, t) => expect(value).toBeCloseTo(scored[i]!.logProbs[t]!, 4)),
    );
  });

  it('stops each row at its own end token, and leaves none where it is forbidden', async () => {
    // Hot enough for some rows to end early and others not.
    const options = { maxNewTokens: 100, temperature: 50, answers: 24, seed: 3 };
    const free = (await model.generate(prompts.slice(3), options)).flat();
    expect(free.some(({ ended }) => ended)).toBe(true);
    expect(free.some(({ ended }) => !ended)).toBe(true);
    for (const { ids, ended, logProbs } of free) {
      expect(logProbs.length).toBe(ids.length);
      expect(ids.indexOf(END)).toBe(ended ? ids.length - 1 : -1);
      if (!ended) expect(ids.length).toBe(100);
    }
    const forced = (await model.generate(prompts.slice(3), { ...options, minNewTokens: 100 })).flat();
    expect(forced.every(({ ids }) => ids.length === 100 && !ids.includes(END))).toBe(true);
  });

  it('draws the same answers for the same seed, in whatever batch, and others for another', async () => {
    const options = { maxNewTokens: 6, temperature: 1, topP: 0.95, answers: 3, seed: 11 };
    const ids = async (batch: readonly Prompt[], seed: number): Promise<Int32Array[][]> =>
      (await model.generate(batch, { ...options, seed })).map((answers) => answers.map((answer) => answer.ids));
    const together = await ids(prompts, 11);
    expect(await ids([...prompts].reverse(), 11)).toEqual([...together].reverse());
    expect(await ids(prompts.slice(2, 3), 11)).toEqual(together.slice(2, 3));
    expect(await ids(prompts, 12)).not.toEqual(together);
    expect(new Set(together.flat().map(String)).size).toBeGreaterThan(prompts.length);
  });

  it('draws with the kernels of CUDA what it draws with those of the CPU', async () => {
    const other = await openOracleModel({}, 'cuda');
    const options = { maxNewTokens: 6, temperature: 1, answers: 3, seed: 11 };
    for (const topP of [0.9, 1]) {
      const [standard, grouped] = [
        await other.model.generate(prompts, { ...options, topP }),
        await model.generate(prompts, { ...options, topP }),
      ];
      standard.flat().forEach(({ ids, logProbs }, i) => {
        expect(ids).toEqual(grouped.flat()[i]!.ids);
        logProbs.forEach((value, t) => expect(value).toBeCloseTo(grouped.flat()[i]!.logProbs[t]!, 4));
      });
    }
    await other.close();
  });

  it.each([
    ['a few tokens', 0.7, 0.8],
    ['most of the vocabulary', 5, 0.95],
    ['all of it', 0.7, 1],
  ])('draws tokens as often as the model says, from %s', async (_, temperature, topP) => {
    const prompt = prompts[3]!;
    const count = 2000;
    const expected = await nucleus(prompt, temperature, topP);
    const draws = (await model.generate([prompt], { maxNewTokens: 1, temperature, topP, answers: count, seed: 5 }))[0]!;
    const counts = new Map<number, number>();
    for (const { ids } of draws) counts.set(ids[0]!, (counts.get(ids[0]!) ?? 0) + 1);
    for (const id of counts.keys()) expect(expected.has(id), `token ${id} is in the nucleus`).toBe(true);
    for (const [id, p] of expected) {
      const deviation = Math.sqrt((p * (1 - p)) / count) + 1 / count;
      expect(Math.abs((counts.get(id) ?? 0) / count - p)).toBeLessThan(5 * deviation);
    }
  });

  // The smallest set of likeliest tokens that reaches topP, with probabilities that sum to 1.
  async function nucleus(prompt: Prompt, temperature: number, topP: number): Promise<Map<number, number>> {
    const [logits] = await model.logits([prompt]);
    const last = logits!.slice(-model.shape.vocabSize);
    const weights = [...last].map((logit, id) => [id, Math.exp(logit / temperature)] as const);
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
    const kept: [number, number][] = [];
    let mass = 0;
    for (const [id, weight] of weights.sort(([, a], [, b]) => b - a)) {
      if (mass >= topP) break;
      kept.push([id, weight / total]);
      mass += weight / total;
    }
    return new Map(kept.map(([id, p]) => [id, p / mass]));
  }
});

describe('what does not fit the model is refused', () => {
  const generate = (prompt: Prompt, options = {}): Promise<unknown> =>
    model.generate([prompt], { maxNewTokens: 4, ...options });
  const text = (ids: readonly number[]): Prompt => ({ ids: Int32Array.from(ids), images: [] });

  it.each([
    ['an empty prompt', text([]), /Prompt 0: it has no tokens/],
    ['an id outside the vocabulary', text([5, 560]), /token id 560 is not in the vocabulary of 560/],
    ['more tokens than positions', text(new Array<number>(8189).fill(5)), /8189 tokens and 4 new ones exceed .* 8192/],
    ['image tokens without an image', text([558, 5]), /1 image tokens but 0 rows of image features/],
  ])('%s', async (_, prompt, message) => {
    await expect(generate(prompt)).rejects.toThrow(OnnxError);
    await expect(generate(prompt)).rejects.toThrow(message);
  });

  it('features of another width', async () => {
    const features: ImageFeatures = { tokens: 1, values: new Float32Array(60) };
    await expect(generate({ ids: Int32Array.of(558), images: [features] })).rejects.toThrow(/not 1 rows of 64/);
  });

  it.each([
    [{ maxNewTokens: 0 }, /maxNewTokens/],
    [{ temperature: -1 }, /temperature/],
    [{ topP: 0 }, /topP/],
    [{ answers: 2 }, /several answers need a temperature/],
  ])('options %o', async (options, message) => {
    await expect(generate(text([5]), options)).rejects.toThrow(message);
  });

  it('an image of another tile size', async () => {
    const [image] = storedImages(1);
    const pixels = { data: new Float32Array(3), shape: [1, 3, 1, 1] };
    await expect(model.encodeImage([{ ...image!, vision: { ...image!.vision, pixels } }])).rejects.toThrow(
      /Image 0: pixels is \[1, 3, 1, 1\] with 3 values, but the model reads \[tiles, 3, 32, 32\]/,
    );
  });
});

describe('memory', () => {
  it('is flat over many calls', async () => {
    const call = async (i: number): Promise<void> => {
      const features = await model.encodeImage(storedImages(1));
      await model.generate([{ ...prompts[1]!, images: features }], { maxNewTokens: 4 + (i % 5), seed: i });
    };
    const rss = (): number => process.memoryUsage.rss() / 2 ** 20;
    for (let i = 0; i < 50; i++) await call(i);
    const before = rss();
    for (let i = 0; i < 200; i++) await call(i);
    expect(rss() - before).toBeLessThan(30);
  });
});
