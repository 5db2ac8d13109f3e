import { basename, resolve } from 'node:path';
import { loadModel } from '@mpa/onnx';
import type { GenerateOptions, ImageFeatures, OnnxModel } from '@mpa/onnx';
import { openCheckpoint } from '@mpa/vlm';
import type { ProcessedImage, Processor, RgbImage } from '@mpa/vlm';
import type { ModelConfig } from './model-config.js';

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

/** How several answers to each question are drawn; one likeliest answer when left out. */
export type Sampling = Required<Pick<GenerateOptions, 'answers' | 'temperature' | 'seed'>>;

/**
 * A checkpoint as a partner in a conversation about images. Its calls may overlap; `inTurn` keeps batches apart, so that
 * two of them do not share the cores.
 */
export class VisionModel {
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    /** Name of the checkpoint folder. */
    readonly id: string,
    private readonly processor: Processor,
    private readonly model: OnnxModel,
    private readonly maxNewTokens: number,
  ) {}

  /** Opens a checkpoint folder, exporting it when that was not done yet. Throws CheckpointError or OnnxError. */
  static async open({
    checkpoint: dir,
    cacheDir,
    precision,
    maxNewTokens,
    ...rest
  }: ModelConfig): Promise<VisionModel> {
    const checkpoint = await openCheckpoint(dir);
    try {
      const { threads, executionProviders } = rest;
      const model = await loadModel(checkpoint, {
        cacheDir,
        precision,
        executionProviders,
        ...(threads === undefined ? {} : { threads }),
      });
      return new VisionModel(basename(resolve(dir)), checkpoint.processor, model, maxNewTokens);
    } finally {
      checkpoint.close();
    }
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

  /** Several drawn answers to each question, in one batch. */
  sample(questions: readonly Question[], sampling: Sampling): Promise<Answer[][]> {
    return this.#generate(questions, sampling);
  }

  /** Natural logarithm of the probability of each question's given answer, end token included. */
  async score(questions: readonly (Question & { readonly answer: string })[]): Promise<number[]> {
    const scored = await this.model.score(
      questions.map((question) => ({ ...this.#prompt(question), answer: this.processor.answer(question.answer) })),
    );
    return scored.map(({ logProbs }) => sum(logProbs));
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

  async #generate(questions: readonly Question[], sampling: Partial<Sampling>): Promise<Answer[][]> {
    const prompts = questions.map((question) => this.#prompt(question));
    const generated = await this.model.generate(prompts, { maxNewTokens: this.maxNewTokens, ...sampling });
    return generated.map((answers) =>
      answers.map(({ ids, logProbs }) => ({
        text: this.processor.decode(ids).trim(),
        logProbability: sum(logProbs),
      })),
    );
  }

  #prompt({ image: { processed, features }, text }: Question): { ids: Int32Array; images: ImageFeatures[] } {
    const content = [{ type: 'image' }, { type: 'text', text }] as const;
    return { ids: this.processor.prompt([{ role: 'user', content }], [processed]), images: [features] };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
