import type { ModelShape } from '@mpa/vlm';
import type { InferenceSession } from 'onnxruntime-node';
import { encodeImages } from './encode-images.js';
import type { ImageTiles } from './encode-images.js';
import { generate } from './generate.js';
import type { Generated, GenerateOptions } from './generate.js';
import type { ImageFeatures, Prompt } from './prompt-batch.js';
import { logits, score } from './score.js';
import type { Answered, Scored } from './score.js';

/**
 * A vision-language model on ONNX Runtime. Made by `loadModel`. Every call is one run of one graph; a call's prompts are
 * one batch. Throws OnnxError where an image or a prompt does not fit the model.
 */
export class OnnxModel {
  readonly #vision: InferenceSession;
  readonly #text: InferenceSession;
  readonly #endIds: readonly number[];

  constructor(
    readonly shape: ModelShape,
    sessions: { readonly vision: InferenceSession; readonly text: InferenceSession },
    endIds: readonly number[],
  ) {
    this.#vision = sessions.vision;
    this.#text = sessions.text;
    this.#endIds = endIds;
  }

  /** Features of each image, all tiles of all images in one batch. */
  encodeImage(images: readonly ImageTiles[]): Promise<ImageFeatures[]> {
    return encodeImages(this.#vision, this.shape, images);
  }

  /** New tokens for each prompt: `answers` of them, in the order of the prompts, each up to the checkpoint's end token. */
  generate(prompts: readonly Prompt[], options: GenerateOptions): Promise<Generated[][]> {
    return generate(this.#text, this.shape, this.#endIds, prompts, options);
  }

  /** Log-probability of each token of given answers, and on request where the answer's tokens attend to. */
  score(samples: readonly Answered[]): Promise<Scored[]> {
    return score(this.#text, this.shape, samples);
  }

  /** Logits of every position of each prompt, row-major [tokens, vocabulary]. Large: meant for checks. */
  logits(prompts: readonly Prompt[]): Promise<Float32Array[]> {
    return logits(this.#text, this.shape, prompts);
  }

  /** Frees the sessions; the model is of no use afterwards. */
  async close(): Promise<void> {
    await Promise.all([this.#vision.release(), this.#text.release()]);
  }
}
