import type { Answered, Generated, GenerateOptions, ImageFeatures, OnnxModel, Prompt, Scored } from '@mpa/onnx';
import type { ImageInput } from '@mpa/vlm';
import { TeacherError } from './teacher.js';

/** The parts of a model that a device can break. */
type Computing = Pick<OnnxModel, 'encodeImage' | 'generate' | 'score' | 'close'>;

/**
 * A model that knows whether it still works. Whose fault a failure is cannot be told from it alone: an image may be too much, or the
 * device gone for good. So after a failure the model does again what it did last. If it can, the failure is thrown as it is; if it
 * cannot, TeacherError `broken` is thrown, now and by every later call.
 */
export class CheckedModel implements Computing {
  #image: ImageInput | undefined;
  #prompt: { readonly prompt: Prompt; readonly options: GenerateOptions } | undefined;
  #checking: Promise<void> | undefined;
  #broken: TeacherError | undefined;
  #isClosed = false;

  /**
   * @param id name of the model, for messages
   * @param onBroken told once, before any call throws it
   */
  constructor(
    private readonly id: string,
    private readonly model: Computing,
    private readonly onBroken: (error: TeacherError) => void,
  ) {}

  /** See {@link OnnxModel.encodeImage}. */
  async encodeImage(images: readonly ImageInput[]): Promise<ImageFeatures[]> {
    const features = await this.#tried(() => this.model.encodeImage(images));
    this.#image = images[0] ?? this.#image;
    return features;
  }

  /** See {@link OnnxModel.generate}. */
  async generate(prompts: readonly Prompt[], options: GenerateOptions): Promise<Generated[][]> {
    const generated = await this.#tried(() => this.model.generate(prompts, options));
    if (prompts[0]) this.#prompt = { prompt: prompts[0], options };
    return generated;
  }

  /** See {@link OnnxModel.score}. */
  score(samples: readonly Answered[]): Promise<Scored[]> {
    return this.#tried(() => this.model.score(samples));
  }

  /** Frees the model; what fails from now on is nobody's fault. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.model.close();
  }

  async #tried<T>(work: () => Promise<T>): Promise<T> {
    if (this.#broken) throw this.#broken;
    try {
      return await work();
    } catch (error) {
      await (this.#checking ??= this.#check(error).finally(() => (this.#checking = undefined)));
      throw error;
    }
  }

  /** Throws TeacherError `broken` when the model cannot do what it did last, or has never done anything. */
  async #check(failure: unknown): Promise<void> {
    try {
      if (!this.#image || !this.#prompt) throw failure;
      await this.model.encodeImage([this.#image]);
      await this.model.generate([this.#prompt.prompt], this.#prompt.options);
    } catch (error) {
      if (this.#isClosed) return;
      const what = this.#prompt ? 'what it could do before' : 'a first small question';
      const message = `the model ${this.id} does not work: it fails at ${what} (${(error as Error).message}); a new process goes on from here`;
      this.#broken = new TeacherError('broken', message, { cause: error });
      this.onBroken(this.#broken);
      throw this.#broken;
    }
  }
}
