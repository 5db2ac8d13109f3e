import type { ImageInput, InputDeclaration, ModelShape, VisionInputs } from '@mpa/vlm';
import { encodeImages } from './encode-images.js';
import { generate } from './generate.js';
import type { Generated, GenerateOptions } from './generate.js';
import type { ImageFeatures, Prompt } from './prompt-batch.js';
import { logits, score } from './score.js';
import type { Answered, Scored } from './score.js';
import type { SessionThread } from './session-thread.js';

/**
 * A vision-language model on ONNX Runtime, in a thread of its own. Made by `loadModel`. A call's prompts are one batch and one
 * run of one graph; calls are done in turn. Throws OnnxError where an image or a prompt does not fit the model.
 */
export class OnnxModel {
  readonly #sessions: SessionThread;
  readonly #visionInputs: VisionInputs<InputDeclaration>;
  readonly #endIds: readonly number[];

  constructor(
    readonly shape: ModelShape,
    sessions: SessionThread,
    visionInputs: VisionInputs<InputDeclaration>,
    endIds: readonly number[],
  ) {
    this.#sessions = sessions;
    this.#visionInputs = visionInputs;
    this.#endIds = endIds;
  }

  /** Features of each image, to be used for every prompt on it. */
  encodeImage(images: readonly ImageInput[]): Promise<ImageFeatures[]> {
    return encodeImages(this.#sessions, this.shape, this.#visionInputs, images);
  }

  /** New tokens for each prompt: `answers` of them, in the order of the prompts, each up to the checkpoint's end token. */
  generate(prompts: readonly Prompt[], options: GenerateOptions): Promise<Generated[][]> {
    return generate(this.#sessions, this.shape, this.#endIds, prompts, options);
  }

  /** Log-probability of each token of given answers, and on request where the answer's tokens attend to. */
  score(samples: readonly Answered[]): Promise<Scored[]> {
    return score(this.#sessions, this.shape, samples);
  }

  /** Logits of every position of each prompt, row-major [tokens, vocabulary]. Large: meant for checks. */
  logits(prompts: readonly Prompt[]): Promise<Float32Array[]> {
    return logits(this.#sessions, this.shape, prompts);
  }

  /** Waits for calls under way and frees the model; calls afterwards are refused. */
  close(): Promise<void> {
    return this.#sessions.close();
  }
}
