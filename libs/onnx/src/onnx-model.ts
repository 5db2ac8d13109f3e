import type { ModelShape } from '@mpa/vlm';
import type { InferenceSession } from 'onnxruntime-node';
import { encodeImages } from './encode-images.js';
import type { ProcessedImage } from './encode-images.js';
import { generate } from './generate.js';
import type { Generated, GenerateOptions } from './generate.js';
import type { ImageFeatures, Prompt } from './prompt-batch.js';
import { logits, score } from './score.js';
import type { Answered, Scored } from './score.js';

/** The sessions of one model; the tower with a mask is opened only when an image has padding. */
export interface Sessions {
  readonly vision: InferenceSession;
  readonly text: InferenceSession;
  maskedVision(): Promise<InferenceSession>;
}

/**
 * A vision-language model on ONNX Runtime. Made by `loadModel`. Every call is one run of one graph; a call's prompts are
 * one batch. Throws OnnxError where a prompt does not fit the model.
 */
export class OnnxModel {
  #masked: Promise<InferenceSession> | undefined;

  constructor(
    readonly shape: ModelShape,
    private readonly sessions: Sessions,
  ) {}

  /** Features of each image, all tiles of all images in one batch. */
  encodeImage(images: readonly ProcessedImage[]): Promise<ImageFeatures[]> {
    return encodeImages(this.shape, images, async (masked) => {
      if (!masked) return this.sessions.vision;
      this.#masked ??= this.sessions.maskedVision();
      return this.#masked;
    });
  }

  /** New tokens for each prompt: `answers` of them, in the order of the prompts. */
  generate(prompts: readonly Prompt[], options: GenerateOptions): Promise<Generated[][]> {
    return generate(this.sessions.text, this.shape, prompts, options);
  }

  /** Log-probability of each token of given answers, and on request where the answer's tokens attend to. */
  score(samples: readonly Answered[]): Promise<Scored[]> {
    return score(this.sessions.text, this.shape, samples);
  }

  /** Logits of every position of each prompt, row-major [tokens, vocabulary]. Large: meant for checks. */
  logits(prompts: readonly Prompt[]): Promise<Float32Array[]> {
    return logits(this.sessions.text, this.shape, prompts);
  }

  /** Frees the sessions. */
  async close(): Promise<void> {
    const masked = await this.#masked;
    await Promise.all([this.sessions.vision.release(), this.sessions.text.release(), masked?.release()]);
  }
}
