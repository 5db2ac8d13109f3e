import type { BenchmarkSample } from '@mpa/benchmarks';
import { readImage, VisionModel } from '@mpa/inference';
import type { ModelConfig, SeenImage } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';

/** What a model said to a group of questions. */
export interface GroupAnswers {
  /** In the order of the questions. */
  readonly texts: readonly string[];
  /** From the first image file opened to the last answer's text. */
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
   * Answers a group of questions, timed end to end: reading and decoding the images, the vision tower, generation, text.
   * An image of the group before is not looked at again. Throws CheckpointError, OnnxError, or what `readImage` throws.
   */
  async answer(questions: readonly BenchmarkSample[]): Promise<GroupAnswers> {
    if (!this.#model) {
      this.#model = await VisionModel.open(this.config);
      await this.#answer(this.#model, questions);
      this.#seen.clear();
    }
    const began = performance.now();
    const texts = await this.#answer(this.#model, questions);
    return { texts, seconds: (performance.now() - began) / 1000 };
  }

  /** Frees the model. */
  async close(): Promise<void> {
    await this.#model?.close();
  }

  async #answer(model: VisionModel, questions: readonly BenchmarkSample[]): Promise<string[]> {
    const paths = [...new Set(questions.map(({ imagePath }) => imagePath))];
    const fresh = paths.filter((path) => !this.#seen.has(path));
    const images = await Promise.all(fresh.map(async (path) => model.prepare(await readImage(path))));
    const seen = await model.look(images);
    const all = new Map([...this.#seen, ...seen.map((image, i) => [fresh[i]!, image] as const)]);
    this.#seen = new Map(paths.map((path) => [path, all.get(path)!]));
    const answers = await model.answer(
      questions.map((q) => ({ image: all.get(q.imagePath)!, text: answerPrompt(q.question) })),
    );
    return answers.map(({ text }) => text);
  }
}
