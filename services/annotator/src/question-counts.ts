import { createHash } from 'node:crypto';
import { normalizeQuestion } from '@mpa/answer-metrics';
import type { Task } from '@mpa/answer-metrics';

/** How often one question may be asked. */
export interface DiversityLimits {
  /** Largest share of a task's annotations that may ask the same. */
  readonly maxShare: number;
  /** So many may ask the same in any case: shares of a few annotations say nothing. */
  readonly freely: number;
}

/** Most questions that are told apart. */
const MOST_QUESTIONS = 100_000;
const DIGEST_BYTES = 6;

/**
 * How often each question was asked over a corpus, by task. Wordings that normalise alike count as one. Of corpora with more
 * than `most` different questions the rare ones are forgotten, and a count is too small by 2 / `most` of all questions at most (Misra and
 * Gries, "Finding repeated elements", 1982): what is asked often is known in constant memory.
 */
export class QuestionCounts {
  /** By digest, which is shorter than the text. */
  readonly #counts = new Map<number, number>();
  readonly #totals = new Map<Task, number>();

  constructor(
    private readonly limits: DiversityLimits,
    private readonly most = MOST_QUESTIONS,
  ) {}

  /** Whether the question may be asked once more. */
  allows(task: Task, question: string): boolean {
    const { maxShare, freely } = this.limits;
    const asked = this.#counts.get(keyOf(task, question)) ?? 0;
    const total = this.#totals.get(task) ?? 0;
    return asked < freely || asked + 1 <= maxShare * (total + 1);
  }

  /** Counts a question, or with -1 takes it back. */
  add(task: Task, question: string, by: 1 | -1 = 1): void {
    const key = keyOf(task, question);
    this.#counts.set(key, Math.max(0, (this.#counts.get(key) ?? 0) + by));
    this.#totals.set(task, (this.#totals.get(task) ?? 0) + by);
    if (this.#counts.size > this.most) this.#forget();
  }

  /** Takes the median from every count, which leaves at most half of the questions. */
  #forget(): void {
    const median = [...this.#counts.values()].sort((a, b) => a - b)[this.#counts.size >> 1]!;
    for (const [key, count] of this.#counts) {
      if (count <= median) this.#counts.delete(key);
      else this.#counts.set(key, count - median);
    }
  }
}

function keyOf(task: Task, question: string): number {
  const text = `${task} ${normalizeQuestion(question)}`;
  return createHash('sha256').update(text, 'utf8').digest().readUIntBE(0, DIGEST_BYTES);
}
