import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { areaShares, ATTENTION_LAYERS, attentionMap } from '@mpa/alignment';
import { loadModel } from '@mpa/onnx';
import type { GenerateOptions, ImageFeatures, Scored } from '@mpa/onnx';
import { tellGeneratedTokens } from '@mpa/telemetry';
import { answerParts, openCheckpoint, withDecodedImage } from '@mpa/vlm';
import type { ModelShape, ProcessedImage, Processor, RgbImage } from '@mpa/vlm';
import { CheckedModel } from './checked-model.js';
import type { ModelConfig } from './model-config.js';
import { bytesOf } from './read-image.js';
import { smallQuestion } from './small-question.js';
import type { LoadOptions, SignalKind, Teacher, TeacherError } from './teacher.js';

/** An image that a model has looked at: every prompt on it reuses its features. */
export interface SeenImage {
  readonly processed: ProcessedImage;
  readonly features: ImageFeatures;
}

/** A user's message: one image and the text below it. */
export interface Question {
  readonly image: SeenImage;
  readonly text: string;
}

/** What a model said. */
export interface Answer {
  readonly text: string;
  /** Natural logarithm of the probability of its tokens, end token included. */
  readonly logProbability: number;
}

/** What a model makes of a given answer. */
export interface Examined {
  /** Natural logarithm of its probability, end token included. */
  readonly logProbability: number;
  /**
   * Where its tokens attend on the original image, mean over tokens, heads and the last layers, on the cells of a raster
   * [grid * grid]; sums to 1. Absent when it was not asked for.
   */
  readonly attention?: readonly number[];
}

/** How several answers to each question are drawn; one likeliest answer when left out. */
export type Sampling = Required<Pick<GenerateOptions, 'answers' | 'temperature' | 'seed'>>;

/**
 * A checkpoint as a partner in a conversation about images. Its calls may overlap; `inTurn` keeps batches apart, so that
 * two of them do not share the cores. Where a call fails, TeacherError `broken` says that every call will.
 */
export class VisionModel implements Teacher<ProcessedImage, SeenImage> {
  readonly gives: ReadonlySet<SignalKind> = new Set(['confidence', 'attention', 'n_best', 'rationale']);
  readonly parallel = 1;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    /** Name of the checkpoint folder. */
    readonly id: string,
    private readonly processor: Processor,
    private readonly shape: ModelShape,
    private readonly model: CheckedModel,
    private readonly maxNewTokens: number,
  ) {}

  /**
   * Opens a checkpoint folder, exporting it when that was not done yet, and asks it something small. Throws CheckpointError,
   * OnnxError, or TeacherError when it cannot answer.
   *
   * @param onBroken told, now or later, that only a new process can go on with it
   */
  static async open(
    { checkpoint: dir, cacheDir, precision, maxNewTokens, ...rest }: ModelConfig,
    onBroken: (error: TeacherError) => void = () => undefined,
  ): Promise<VisionModel> {
    const checkpoint = await openCheckpoint(dir);
    try {
      const { threads, executionProviders } = rest;
      const model = await loadModel(checkpoint, {
        cacheDir,
        precision,
        executionProviders,
        attentionLayers: Math.min(ATTENTION_LAYERS, checkpoint.shape.textLayers),
        ...(threads === undefined ? {} : { threads }),
      });
      const id = basename(resolve(dir));
      const checked = new CheckedModel(id, model, onBroken);
      const vision = new VisionModel(id, checkpoint.processor, model.shape, checked, maxNewTokens);
      await vision.#begin();
      return vision;
    } finally {
      checkpoint.close();
    }
  }

  /** Itself: it keeps nothing of a run. */
  async forRun(): Promise<this> {
    return this;
  }

  /** Reads an image, decodes and prepares it. Throws ImageError, StorageError, or RpcError without an image. */
  async load(image: Parameters<typeof bytesOf>[0], { onRead, ...reading }: LoadOptions): Promise<ProcessedImage> {
    const bytes = await bytesOf(image, reading);
    return withDecodedImage(bytes, (decoded) => {
      onRead?.(bytes, decoded);
      return this.prepare(decoded);
    });
  }

  /** Resizes, tiles and normalises: the part that needs no model. Throws ImageError for an image that cannot be used. */
  prepare(image: RgbImage): ProcessedImage {
    return this.processor.image(image);
  }

  /** Computes the vision features of prepared images, in one batch. */
  async look(images: readonly ProcessedImage[]): Promise<SeenImage[]> {
    const features = await this.model.encodeImage(images);
    return images.map((processed, i) => ({ processed, features: features[i]! }));
  }

  /** The likeliest answer to each question, in one batch. Throws OnnxError for a question beyond the model's context. */
  async answer(questions: readonly Question[]): Promise<Answer[]> {
    const drawn = await this.#generate(questions, {});
    return drawn.map(([answer]) => answer!);
  }

  /** Several drawn answers to each question, in one batch; other draws for another image. */
  sample(questions: readonly Question[], sampling: Sampling): Promise<Answer[][]> {
    return this.#generate(questions, sampling);
  }

  /** Natural logarithm of the probability of each question's given answer, end token included. */
  async score(questions: readonly (Question & { readonly answer: string })[]): Promise<number[]> {
    return (await this.examine(questions)).map(({ logProbability }) => logProbability);
  }

  /** What the model makes of each question's given answer, in one batch; with a `grid`, where its attention is. */
  async examine(
    questions: readonly (Question & { readonly answer: string; readonly grid?: number | undefined })[],
  ): Promise<Examined[]> {
    const asked = questions.map((question) => ({
      ...this.#prompt(question),
      answer: this.processor.answer(question.answer),
      attention: question.grid !== undefined,
    }));
    const scored = await this.model.score(asked);
    return scored.map(({ logProbs, attention }, i) => {
      const { grid, image } = questions[i]!;
      const logProbability = sum(logProbs);
      return grid === undefined
        ? { logProbability }
        : { logProbability, attention: this.#onImage(asked[i]!, attention!, image, grid) };
    });
  }

  /** Log-probability of each part of a given answer (`steps.join('')`), in one batch. The end token counts to the last part. */
  async scoreSteps(questions: readonly (Question & { readonly steps: readonly string[] })[]): Promise<number[][]> {
    const answers = questions.map(({ steps }) => answerParts(this.processor, steps));
    const scored = await this.model.score(questions.map((q, i) => ({ ...this.#prompt(q), answer: answers[i]!.ids })));
    return scored.map(({ logProbs }, i) => {
      const sums = questions[i]!.steps.map(() => 0);
      answers[i]!.parts.forEach((part, token) => (sums[part]! += logProbs[token]!));
      return sums;
    });
  }

  /** Runs `work` when all work given before is done; resolves to its result and the seconds it took. */
  inTurn<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
    const turn = this.#last.then(async () => {
      const began = performance.now();
      const result = await work();
      return { result, seconds: (performance.now() - began) / 1000 };
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Waits for the work in turn, then frees the model. */
  async close(): Promise<void> {
    await this.#last;
    await this.model.close();
  }

  /** Two tokens, so that the graph's loop runs too. */
  async #begin(): Promise<void> {
    const { side, text } = smallQuestion;
    const white = { width: side, height: side, data: new Uint8Array(3 * side ** 2).fill(255) };
    try {
      const [image] = await this.look([this.prepare(white)]);
      await this.model.generate([this.#prompt({ image: image!, text })], { maxNewTokens: 2 });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #generate(questions: readonly Question[], sampling: Partial<Sampling>): Promise<Answer[][]> {
    const prompts = questions.map((question) => ({
      ...this.#prompt(question),
      ...(sampling.temperature && { drawKey: digestOf(question.image) }),
    }));
    const generated = await this.model.generate(prompts, { maxNewTokens: this.maxNewTokens, ...sampling });
    tellGeneratedTokens(sum(generated.flat().map(({ ids }) => ids.length)));
    return generated.map((answers) =>
      answers.map(({ ids, logProbs }) => ({
        text: this.processor.decode(ids).trim(),
        logProbability: sum(logProbs),
      })),
    );
  }

  /** `layers` are [answer, prompt + answer] each. */
  #onImage(
    { ids, answer }: { readonly ids: Int32Array; readonly answer: Int32Array },
    layers: NonNullable<Scored['attention']>,
    image: SeenImage,
    grid: number,
  ): number[] {
    const columns = [...ids.keys()].filter((i) => ids[i] === this.shape.imageTokenId);
    const attention = new Float64Array(columns.length);
    const width = ids.length + answer.length;
    for (const layer of layers) {
      for (let row = 0; row < layer.length; row += width) {
        columns.forEach((column, i) => (attention[i]! += layer[row + column]!));
      }
    }
    return attentionMap(attention, areaShares(this.processor.regions(image.processed), grid));
  }

  #prompt({ image: { processed, features }, text }: Question): { ids: Int32Array; images: ImageFeatures[] } {
    const content = [{ type: 'image' }, { type: 'text', text }] as const;
    return { ids: this.processor.prompt([{ role: 'user', content }], [processed]), images: [features] };
  }
}

/** Pixels that a digest is taken of, spread over the image. */
const DIGESTED = 65_536;

function digestOf({ processed }: SeenImage): string {
  const { data: pixels } = processed.vision.pixels;
  const stride = Math.max(1, Math.floor(pixels.length / DIGESTED));
  const some = Float32Array.from({ length: Math.ceil(pixels.length / stride) }, (_, i) => pixels[i * stride]!);
  return createHash('sha256').update(new Uint8Array(some.buffer)).digest('hex');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
