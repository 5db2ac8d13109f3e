import type { BenchmarkSample } from '@mpa/benchmarks';
import { answerPrompt } from '@mpa/prompts';
import type { RgbImage } from '@mpa/vlm';
import type { Answering, GivenAnswer } from './answering.js';

/** What a model said to a group of questions. */
export interface GroupAnswers {
  /** In the order of the questions. */
  readonly answers: readonly GivenAnswer[];
  /** From the decoded images to the last answer's text. */
  readonly seconds: number;
}

/** One of the models that are compared. It is opened, and warmed up, when it is first asked. */
export class ComparedModel {
  #model: Answering<unknown> | undefined;
  #seen = new Map<string, unknown>();

  /** @param checkpoint its folder, or the URL of its endpoint and its name there */
  constructor(
    readonly label: string,
    readonly checkpoint: string,
    private readonly open: () => Promise<Answering<unknown>>,
  ) {}

  /**
   * Answers a group of questions about decoded images, by path. Timed from there to the text: resizing, the vision tower,
   * generation; of an endpoint, the way there and back. An image of the group before is not looked at again. Throws
   * CheckpointError, OnnxError or TeacherError.
   */
  async answer(
    questions: readonly BenchmarkSample[],
    images: ReadonlyMap<string, RgbImage>,
    signal: AbortSignal,
  ): Promise<GroupAnswers> {
    if (!this.#model) {
      this.#model = await this.open();
      if (this.#model.warmsUp) await this.#answer(this.#model, questions, images, signal);
      this.#seen.clear();
    }
    const began = performance.now();
    const answers = await this.#answer(this.#model, questions, images, signal);
    return { answers, seconds: (performance.now() - began) / 1000 };
  }

  /** Frees the model. */
  async close(): Promise<void> {
    await this.#model?.close();
  }

  async #answer(
    model: Answering<unknown>,
    questions: readonly BenchmarkSample[],
    images: ReadonlyMap<string, RgbImage>,
    signal: AbortSignal,
  ): Promise<GivenAnswer[]> {
    const paths = [...new Set(questions.map(({ imagePath }) => imagePath))];
    const fresh = paths.filter((path) => !this.#seen.has(path));
    const seen = await model.look(fresh.map((path) => ({ path, image: images.get(path)! })));
    const all = new Map([...this.#seen, ...seen.map((image, i) => [fresh[i]!, image] as const)]);
    this.#seen = new Map(paths.map((path) => [path, all.get(path)!]));
    return model.answer(
      questions.map((q) => ({ image: all.get(q.imagePath), text: answerPrompt(q.question) })),
      signal,
    );
  }
}
