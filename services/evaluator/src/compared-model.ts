import type { BenchmarkSample } from '@mpa/benchmarks';
import { VisionModel } from '@mpa/inference';
import type { ModelConfig, SeenImage } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';
import type { RgbImage } from '@mpa/vlm';

/** What a model said to a group of questions. */
export interface GroupAnswers {
  /** In the order of the questions. */
  readonly texts: readonly string[];
  /** From the decoded images to the last answer's text. */
  readonly seconds: number;
}

/** One of the models that are compared. It is opened, and warmed up, when it is first asked. */
export class ComparedModel {
  #model: VisionModel | undefined;
  #seen = new Map<string, SeenImage>();

  constructor(
    readonly label: string,
    private readonly config: ModelConfig,
  ) {}

  /** Its folder. */
  get checkpoint(): string {
    return this.config.checkpoint;
  }

  /**
   * Answers a group of questions about decoded images, by path. Timed from there to the text: resizing, the vision tower,
   * generation. An image of the group before is not looked at again. Throws CheckpointError or OnnxError.
   */
  async answer(questions: readonly BenchmarkSample[], images: ReadonlyMap<string, RgbImage>): Promise<GroupAnswers> {
    if (!this.#model) {
      this.#model = await VisionModel.open(this.config);
      await this.#answer(this.#model, questions, images);
      this.#seen.clear();
    }
    const began = performance.now();
    const texts = await this.#answer(this.#model, questions, images);
    return { texts, seconds: (performance.now() - began) / 1000 };
  }

  /** Frees the model. */
  async close(): Promise<void> {
    await this.#model?.close();
  }

  async #answer(
    model: VisionModel,
    questions: readonly BenchmarkSample[],
    images: ReadonlyMap<string, RgbImage>,
  ): Promise<string[]> {
    const paths = [...new Set(questions.map(({ imagePath }) => imagePath))];
    const fresh = paths.filter((path) => !this.#seen.has(path));
    const seen = await model.look(fresh.map((path) => model.prepare(images.get(path)!)));
    const all = new Map([...this.#seen, ...seen.map((image, i) => [fresh[i]!, image] as const)]);
    this.#seen = new Map(paths.map((path) => [path, all.get(path)!]));
    const answers = await model.answer(
      questions.map((q) => ({ image: all.get(q.imagePath)!, text: answerPrompt(q.question) })),
    );
    return answers.map(({ text }) => text);
  }
}
