import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { score, tasks } from '@mpa/answer-metrics';
import type { Task } from '@mpa/answer-metrics';
import type { BenchmarkSample } from '@mpa/benchmarks';
import type { Decision } from '@mpa/contracts';
import { readImage, VisionModel } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';
import { ImageStore } from '@mpa/storage';
import { Parameters, TensorModel } from '@mpa/tensorflow';
import { repeated, seededRandom, selectedSamples, train, trainableOf, trainOptions } from '@mpa/trainer';
import type { TrainOptions } from '@mpa/trainer';
import { openCheckpoint, saveCheckpoint } from '@mpa/vlm';

/** How long a student is trained, whatever it is trained on: samples seen in all. */
export interface Budget {
  readonly samples: number;
}

/** Trains a copy of `student` on the decisions within the budget, and writes it to `folder/levelled`. */
export async function level(
  student: string,
  decisions: readonly Decision[],
  settings: Partial<TrainOptions>,
  { samples }: Budget,
  folder: string,
): Promise<string> {
  const options = trainOptions.parse({ ...settings, epochs: 1 });
  const checkpoint = await openCheckpoint(student);
  try {
    const { processor, weights, family, config } = checkpoint;
    const { source } = await selectedSamples(decisions, processor, {
      images: new ImageStore(),
      cacheBytes: 2 ** 30,
      coefficients: options,
      discrepancyWeight: options.discrepancyWeight,
    });
    const random = seededRandom(options.seed).uniform;
    const parameters = new Parameters(weights, trainableOf(options.trainable, checkpoint), random);
    try {
      const model = new TensorModel(family, config, parameters);
      const state = join(folder, 'state');
      await rm(state, { recursive: true, force: true });
      const context = { state, fingerprint: '', cacheBytes: 2 ** 30 };
      for await (const step of train(model, repeated(source, samples, options.seed), options, context)) void step;
      const output = join(folder, 'levelled');
      await saveCheckpoint(output, checkpoint, (name) => parameters.read(name), 'F32');
      return output;
    } finally {
      parameters.dispose();
    }
  } finally {
    checkpoint.close();
  }
}

/** Labelled questions of each task. */
export type Questions = Readonly<Record<Task, readonly BenchmarkSample[]>>;

/** Images looked at together. */
const AT_ONCE = 8;

/** Accuracy in [0, 1] of a checkpoint on each task, by the benchmark's own metric. */
export async function accuracyOf(
  checkpoint: string,
  questions: Questions,
  cacheDir: string,
): Promise<Record<Task, number>> {
  const model = await VisionModel.open({ checkpoint, cacheDir, precision: 'float32', executionProviders: ['cpu'], maxNewTokens: 24 }); // prettier-ignore
  try {
    const found: Partial<Record<Task, number>> = {};
    for (const task of tasks) found[task] = await accuracyOn(model, questions[task]);
    return found as Record<Task, number>;
  } finally {
    await model.close();
  }
}

async function accuracyOn(model: VisionModel, samples: readonly BenchmarkSample[]): Promise<number> {
  const byImage = new Map<string, BenchmarkSample[]>();
  for (const sample of samples) byImage.set(sample.imagePath, [...(byImage.get(sample.imagePath) ?? []), sample]);
  const groups = [...byImage];
  let sum = 0;
  for (let from = 0; from < groups.length; from += AT_ONCE) {
    const part = groups.slice(from, from + AT_ONCE);
    const seen = await model.look(await Promise.all(part.map(async ([path]) => model.prepare(await readImage(path)))));
    const asked = part.flatMap(([, ofImage], i) => ofImage.map((sample) => ({ sample, image: seen[i]! })));
    const answers = await model.answer(
      asked.map(({ sample, image }) => ({ image, text: answerPrompt(sample.question) })),
    );
    asked.forEach(({ sample }, i) => (sum += score(sample.metric, answers[i]!.text, sample.answers)));
  }
  return sum / samples.length;
}
