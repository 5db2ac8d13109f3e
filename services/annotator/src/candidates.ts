import { normalizeQuestion } from '@mpa/answer-metrics';
import type { Task } from '@mpa/answer-metrics';
import { parseAnnotation } from '@mpa/prompts';
import type { QuestionAndAnswer } from '@mpa/prompts';
import type { QuestionCounts } from './question-counts.js';

/** The questions written for one image, read in order until one can be used. */
export class Candidates {
  /** The one that is used. Counted in the corpus. */
  chosen: QuestionAndAnswer | undefined;
  readonly counts = { written: 0, unparsable: 0, duplicate: 0, frequent: 0 };
  readonly #seen = new Set<string>();

  constructor(
    private readonly task: Task,
    private readonly corpus: QuestionCounts,
  ) {}

  /** Takes a question that was written elsewhere as it is; the corpus sets it no limit. */
  take({ question, answer }: QuestionAndAnswer): void {
    this.counts.written += 1;
    this.chosen = { question, answer };
    this.corpus.add(this.task, question);
  }

  /** Reads one more of the model's texts, unless a question is chosen already. */
  offer(text: string): void {
    if (this.chosen) return;
    this.counts.written += 1;
    const parsed = parseAnnotation(text);
    if (!parsed) {
      this.counts.unparsable += 1;
      return;
    }
    const normalized = normalizeQuestion(parsed.question);
    if (this.#seen.has(normalized)) {
      this.counts.duplicate += 1;
    } else if (!this.corpus.allows(this.task, parsed.question)) {
      this.counts.frequent += 1;
    } else {
      this.chosen = parsed;
      this.corpus.add(this.task, parsed.question);
    }
    this.#seen.add(normalized);
  }

  /** Takes the chosen question out of the corpus again: its record was not written. */
  takeBack(): void {
    if (this.chosen) this.corpus.add(this.task, this.chosen.question, -1);
    this.chosen = undefined;
  }

  /** Why no question was chosen. */
  get reason(): 'frequent-question' | 'unparsable-text' {
    return this.counts.frequent > 0 ? 'frequent-question' : 'unparsable-text';
  }
}
