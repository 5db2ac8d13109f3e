import { answerPrompt } from '@mpa/prompts';
import { readImage, VisionModel } from '@mpa/inference';
import type { ModelConfig } from '@mpa/inference';
import { countFlops, countParameters, describeCheckpoint } from '@mpa/vlm';
import type { AnswerFlops, CheckpointDescription, RgbImage } from '@mpa/vlm';
import type { Stage } from '../progress/progress.js';
import { peakMemory } from './peak-memory.js';

/** What a model costs. */
export interface Efficiency {
  readonly checkpoint: string;
  readonly parameters: number;
  /** Of one answer, mean over the images. */
  readonly flopsPerAnswer: AnswerFlops;
  /** Tokens of an answer, end token included, mean over the images. */
  readonly answerTokens: number;
  /** Bytes, of a process of its own with a batch of eight. */
  readonly peakMemory: number;
  /** By batch size. */
  readonly speed: Readonly<Record<BatchSize, Speed>>;
}

/** From decoded images to the texts of a batch. */
export interface Speed {
  /** Milliseconds until a batch is answered. */
  readonly p50: number;
  readonly p95: number;
  readonly answersPerSecond: number;
}

/** Batch sizes that are measured. */
export const batchSizes = [1, 8] as const;

/** One of {@link batchSizes}. */
export type BatchSize = (typeof batchSizes)[number];

/** What {@link measureEfficiency} needs. */
export interface EfficiencyOptions {
  /** By label. */
  readonly models: ReadonlyMap<string, ModelConfig>;
  /** Image files; as many as the largest batch, or more. */
  readonly images: readonly string[];
  readonly question: string;
  /** Times that every model answers a batch of each size, after one uncounted time. */
  readonly rounds: number;
  readonly stage: Stage;
  readonly signal: AbortSignal;
}

/**
 * Measures the models in turn, round by round and taking turns in who is first, so that what else the machine does slows all alike. Throws
 * CheckpointError, OnnxError, ImageError, and the signal's reason.
 */
export async function measureEfficiency(options: EfficiencyOptions): Promise<Map<string, Efficiency>> {
  const { models, images, question, rounds, stage, signal } = options;
  const memory = new Map<string, number>();
  for (const [label, model] of models) {
    memory.set(label, await peakMemory({ model, images: images.slice(0, Math.max(...batchSizes)), question }, signal));
  }
  const pixels = await Promise.all(images.map((path) => readImage(path)));
  const opened = new Map<string, VisionModel>();
  const seconds = new Map<string, Record<BatchSize, number[]>>();
  try {
    for (const [label, model] of models) {
      opened.set(label, await VisionModel.open(model));
      seconds.set(label, { 1: [], 8: [] });
    }
    const labels = [...models.keys()];
    for (let round = 0; round <= rounds; round++) {
      for (const label of rotated(labels, round)) {
        for (const size of batchSizes) {
          signal.throwIfAborted();
          const batch = Array.from({ length: size }, (_, i) => pixels[(round * size + i) % pixels.length]!);
          const began = performance.now();
          await answerBatch(opened.get(label)!, batch, question);
          if (round > 0) seconds.get(label)![size].push((performance.now() - began) / 1000);
        }
      }
      stage.update(round);
    }
    const found = new Map<string, Efficiency>();
    for (const [label, model] of models) {
      const answers = await answerBatch(opened.get(label)!, pixels, question);
      const of = seconds.get(label)!;
      found.set(label, {
        ...(await costOf(model.checkpoint, pixels, question, answers)),
        peakMemory: memory.get(label)!,
        speed: { 1: speedOf(of[1], 1), 8: speedOf(of[8], 8) },
      });
    }
    return found;
  } finally {
    await Promise.all([...opened.values()].map((model) => model.close()));
  }
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

async function answerBatch(model: VisionModel, batch: readonly RgbImage[], question: string): Promise<string[]> {
  const seen = await model.look(batch.map((image) => model.prepare(image)));
  const answers = await model.answer(seen.map((image) => ({ image, text: answerPrompt(question) })));
  return answers.map(({ text }) => text);
}

function speedOf(seconds: readonly number[], size: BatchSize): Speed {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number): number => 1000 * sorted[Math.round(share * (sorted.length - 1))]!;
  const total = seconds.reduce((a, b) => a + b, 0);
  return { p50: at(0.5), p95: at(0.95), answersPerSecond: (size * seconds.length) / total };
}

async function costOf(
  folder: string,
  images: readonly RgbImage[],
  question: string,
  answers: readonly string[],
): Promise<Pick<Efficiency, 'checkpoint' | 'parameters' | 'flopsPerAnswer' | 'answerTokens'>> {
  const checkpoint = await describeCheckpoint(folder);
  const each = images.map((image, i) => sizeOf(checkpoint, image, question, answers[i]!));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const flops = each.map((size) => countFlops(checkpoint, size));
  return {
    checkpoint: folder,
    parameters: countParameters(checkpoint),
    flopsPerAnswer: {
      vision: mean(flops.map(({ vision }) => vision)),
      prefill: mean(flops.map(({ prefill }) => prefill)),
      decode: mean(flops.map(({ decode }) => decode)),
    },
    answerTokens: mean(each.map(({ answerTokens }) => answerTokens)),
  };
}

function sizeOf(
  { processor }: CheckpointDescription,
  image: RgbImage,
  question: string,
  answer: string,
): Parameters<typeof countFlops>[1] {
  const processed = processor.image(image);
  const content = [{ type: 'image' }, { type: 'text', text: answerPrompt(question) }] as const;
  return {
    image: processed,
    promptTokens: processor.prompt([{ role: 'user', content }], [processed]).length,
    answerTokens: processor.answer(answer).length,
  };
}
