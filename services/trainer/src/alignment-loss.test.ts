import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, SignalsSchema } from '@mpa/contracts';
import type { Decision } from '@mpa/contracts';
import { readImage, VisionModel } from '@mpa/inference';
import { ImageStore } from '@mpa/storage';
import {
  collate,
  crossEntropy,
  disposeLayout,
  layOut,
  loadTensorflow,
  lossAndGradients,
  Parameters,
  TensorModel,
  tf,
} from '@mpa/tensorflow';
import { openCheckpoint } from '@mpa/vlm';
import type { Checkpoint } from '@mpa/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlignedSample } from './aligned-sample.js';
import { lossTerms, termNames } from './alignment-loss.js';
import type { Coefficients, LossTerm, TermName } from './alignment-loss.js';
import { selectedSamples } from './selected-samples.js';
import { CHECKPOINT, decision } from './test-run.fixture.js';

const NONE: Coefficients = { confidence: 0, attention: 0, reasoning: 0 };
const ALL: Coefficients = { confidence: 1, attention: 1, reasoning: 1 };
const GRID = 4;

const told = create(SignalsSchema, {
  nBest: [
    { text: 'the 3rd', logProbability: -2, probability: 0.7 },
    { text: 'none', logProbability: -3, probability: 0.2 },
    { text: 'all of them', logProbability: -4, probability: 0.1 },
  ],
  attention: { grid: GRID, cells: Array.from({ length: GRID ** 2 }, (_, i) => (i + 1) / 136) },
  rationale: [
    { text: 'There are bars. ', logProbability: -4 },
    { text: 'One is red.', logProbability: -2 },
  ],
  rationalePrompt: 'Why?',
});
const asked = create(SignalsSchema, {
  rationale: [
    { text: 'There are bars. ', logProbability: -70 },
    { text: 'One is red.', logProbability: -1 },
  ],
});

let checkpoint: Checkpoint;
beforeAll(async () => {
  await loadTensorflow({ backend: 'native' });
  checkpoint = await openCheckpoint(CHECKPOINT);
});
afterAll(() => checkpoint.close());

/** Questions on five images, two on the first; the last two were told nothing of. */
const decisions = [
  ...Array.from({ length: 4 }, (_, i) => decision(i, { signals: told, studentSignals: asked })),
  decision(5, { signals: create(SignalsSchema, { nBest: told.nBest.slice(0, 2) }) }),
  decision(4),
];

async function samplesFor(from: readonly Decision[], coefficients: Coefficients): Promise<AlignedSample[]> {
  const options = { images: new ImageStore(), cacheBytes: 2 ** 30, coefficients, discrepancyWeight: 0 };
  const { source } = await selectedSamples(from, checkpoint.processor, options);
  return Promise.all(Array.from({ length: source.size }, (_, i) => source.load(i)));
}

type Measured = Partial<Record<TermName, { value: number; questions: number; gradients: Map<string, Float32Array> }>>;

/** Calls `visit` with each term on one batch. */
function eachTerm(
  samples: readonly AlignedSample[],
  coefficients: Coefficients,
  parameters: Parameters,
  visit: (term: LossTerm) => void,
): void {
  const model = new TensorModel(checkpoint.family, checkpoint.config, parameters);
  const { length, weights, ...batch } = collate(samples, model.shape);
  const layout = layOut({ length, weights, ...batch }, model.shape);
  const aims = samples.map((sample) => sample.aims);
  for (const name of termNames) {
    const term = lossTerms(model, { layout, length, aims, weights }, coefficients).find((t) => t.name === name);
    if (term) visit(term);
  }
  disposeLayout(layout);
}

function measure(samples: readonly AlignedSample[], coefficients: Coefficients, parameters: Parameters): Measured {
  const found: Measured = {};
  eachTerm(samples, coefficients, parameters, (term) => {
    const { value, gradients } = lossAndGradients(parameters, () => term.value().asScalar());
    const read = new Map([...gradients].map(([key, g]) => [key, g.dataSync<'float32'>().slice()]));
    found[term.name] = { value: value.dataSync()[0]!, questions: term.questions, gradients: read };
    tf.dispose([value, ...gradients.values()]);
  });
  return found;
}

function valuesOf(samples: readonly AlignedSample[], parameters: Parameters): Record<string, number> {
  const found: Record<string, number> = {};
  eachTerm(samples, ALL, parameters, ({ name, value }) => {
    found[name] = tf.tidy(() => value().dataSync()[0]!);
  });
  return found;
}

const newParameters = (): Parameters => new Parameters(checkpoint.weights, { kind: 'full' }, () => 0.5);

describe('the discrepancy-aware loss', () => {
  it('has four terms, each with the gradient that finite differences give', async () => {
    const samples = await samplesFor(decisions, ALL);
    const parameters = newParameters();
    const measured = measure(samples, ALL, parameters);
    expect(Object.keys(measured)).toEqual([...termNames]);
    for (const name of [
      'model.text_model.layers.0.self_attn.q_proj.weight',
      'model.text_model.layers.1.self_attn.k_proj.weight',
      'model.text_model.embed_tokens.weight',
      'model.connector.modality_projection.proj.weight',
      'model.vision_model.encoder.layers.0.mlp.fc1.weight',
    ]) {
      const values = parameters.read(name).slice();
      const { shape } = parameters.get(name);
      // Along all terms' gradients, no weight by more than a hundredth of their size.
      const direction = new Float32Array(values.length);
      for (const term of termNames) {
        const gradient = measured[term]!.gradients.get(name)!;
        const norm = normOf(gradient);
        gradient.forEach((g, i) => (direction[i]! += g / norm));
      }
      const size = normOf(values) / Math.sqrt(values.length) / Math.max(...direction.map(Math.abs));
      const at = (t: number): Record<string, number> => {
        parameters.assign(name, tf.tensor(values.map((v, i) => v + t * size * direction[i]!), shape)); // prettier-ignore
        return valuesOf(samples, parameters);
      };
      const step = 0.01;
      const [above, below] = [at(step), at(-step)];
      at(0);
      for (const term of termNames) {
        const difference = (above[term]! - below[term]!) / (2 * step);
        const slope = measured[term]!.gradients.get(name)!.reduce((sum, g, i) => sum + g * size * direction[i]!, 0);
        // Curvature, and float32 rounding of two values (1e-7 of a sum over layers each) over the step.
        const noise = 0.03 * Math.abs(slope) + (5e-7 * Math.max(1, above[term]!)) / step;
        expect(Math.abs(slope), `${term} by ${name}`).toBeGreaterThan(3 * noise);
        expect(Math.abs(difference - slope), `${term} by ${name}: ${difference} ${slope}`).toBeLessThan(noise);
      }
    }
    parameters.dispose();
  });

  it('is the plain cross-entropy step, bit for bit, when the other terms count nothing', async () => {
    const [told, plain] = [await samplesFor(decisions, NONE), await samplesFor(decisions.map(withoutSignals), ALL)];
    const parameters = newParameters();
    const answer = measure(told, NONE, parameters).answer!;
    const model = new TensorModel(checkpoint.family, checkpoint.config, parameters);
    const layout = layOut(collate(plain, model.shape), model.shape);
    const { value, gradients } = lossAndGradients(parameters, () => {
      const hidden = model.hidden(layout, model.imageFeatures(layout));
      return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights);
    });
    expect(answer.value).toBe(value.dataSync()[0]);
    expect([...answer.gradients.keys()]).toEqual([...gradients.keys()]);
    for (const [name, g] of gradients) {
      expect(Buffer.from(answer.gradients.get(name)!.buffer).equals(Buffer.from(g.dataSync<'float32'>().slice().buffer)), name).toBe(true); // prettier-ignore
    }
    tf.dispose([value, ...gradients.values()]);
    disposeLayout(layout);
    parameters.dispose();
  });

  it('leaves a term out for the samples that have no signal for it, and counts the others', async () => {
    const parameters = newParameters();
    const measured = measure(await samplesFor(decisions, ALL), ALL, parameters);
    const questions = termNames.map((name) => [name, measured[name]!.questions]);
    expect(questions).toEqual([['answer', 6], ['confidence', 5], ['attention', 4], ['reasoning', 4]]); // prettier-ignore
    const without = measure(await samplesFor(decisions.map(withoutSignals), ALL), ALL, parameters);
    expect(Object.keys(without)).toEqual(['answer']);
    // What other turns are in the sequence does not change the answer's own.
    expect(measured.answer!.value).toBeCloseTo(without.answer!.value, 5);
    parameters.dispose();
  });

  it('weighs the steps of a rationale by how far the S-VLM is behind', async () => {
    const parameters = newParameters();
    const onlySecond = create(SignalsSchema, { ...asked, rationale: told.rationale.map((step, i) => ({ ...step, logProbability: i === 0 ? 0 : -70 })) }); // prettier-ignore
    const level = create(SignalsSchema, { ...asked, rationale: told.rationale });
    const termOf = async (student: typeof asked): Promise<number | undefined> => {
      const samples = await samplesFor([decision(0, { signals: told, studentSignals: student })], ALL);
      return measure(samples, ALL, parameters).reasoning?.value;
    };
    const [first, second] = [await termOf(asked), await termOf(onlySecond)];
    expect(first).not.toBe(second);
    expect(await termOf(level)).toBeUndefined();
    parameters.dispose();
  });

  it('finds no difference between a model and itself, on whatever backend its signals were made', async () => {
    const cacheDir = mkdtempSync(join(tmpdir(), 'mpa-signals-'));
    const model = await VisionModel.open({ checkpoint: CHECKPOINT, cacheDir, precision: 'float32', executionProviders: ['cpu'], threads: 1, maxNewTokens: 8 }); // prettier-ignore
    try {
      const own: Decision[] = [];
      for (const each of decisions.slice(0, 4)) {
        const [image] = await model.look([model.prepare(await readImage(fileURLToPath(each.image!.uri)))]);
        const text = each.question;
        const [examined] = await model.examine([{ image: image!, text, answer: each.answer, grid: GRID }]);
        const scores = await model.score(told.nBest.map((ranked) => ({ image: image!, text, answer: ranked.text })));
        const nBest = told.nBest.map((ranked, i) => ({ ...ranked, logProbability: scores[i]! }));
        own.push({
          ...each,
          signals: create(SignalsSchema, { attention: { grid: GRID, cells: [...examined!.attention!] }, nBest }),
        });
      }
      const parameters = newParameters();
      const same = measure(await samplesFor(own, ALL), ALL, parameters);
      // Both are 0 up to the square of float32 noise in the logits (1e-5 of them), and rounding of sums of about 1.
      expect(Math.abs(same.confidence!.value)).toBeLessThan(1e-5);
      expect(Math.abs(same.attention!.value)).toBeLessThan(1e-5);
      const other = measure(await samplesFor(decisions.slice(0, 4), ALL), ALL, parameters);
      expect(other.confidence!.value).toBeGreaterThan(0.01);
      expect(other.attention!.value).toBeGreaterThan(0.01);
      parameters.dispose();
    } finally {
      await model.close();
      rmSync(cacheDir, { recursive: true });
    }
  });
});

function normOf(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
}

function withoutSignals({ signals: _, studentSignals: __, ...rest }: Decision): Decision {
  return rest;
}
