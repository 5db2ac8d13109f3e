import { bootstrapInterval, mean } from '@mpa/answer-metrics';
import { models, type Estimate, type Model, type TaskAccuracy } from '../components/estimate.js';

/** What counts of a line of `records/evaluation-TASK.jsonl`; lines about left-out questions have none of it. */
export interface ResultLine {
  readonly model?: string;
  readonly questionId?: string;
  readonly question?: string;
  readonly image?: { readonly uri?: string };
  readonly score?: number;
}

/** Answers that may come in before an interval is drawn anew, as a share of those that it was drawn from. */
const STALE = 0.05;

/** Scores of one task by model and question, as they come in. */
export class EvaluationTally {
  readonly #scores = new Map<Model, Map<string, number>>(models.map((model) => [model, new Map()]));
  readonly #estimates = new Map<string, { n: number; estimate: Estimate }>();

  add({ model, questionId, question, image, score }: ResultLine): void {
    const known = models.find((name) => name === model);
    if (!known || questionId === undefined || typeof score !== 'number') return;
    this.#scores.get(known)!.set(`${questionId}\n${image?.uri}\n${question}`, score);
  }

  /** Answers that have been scored, of all three models. */
  get answers(): number {
    return [...this.#scores.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** @param exact draw every interval from all answers; else those that are nearly current are kept */
  accuracy({ exact }: { readonly exact: boolean }): TaskAccuracy {
    const of = (model: Model): number[] => [...this.#scores.get(model)!.values()];
    const estimate = (model: Model): Estimate | null => this.#estimate(model, of(model), exact);
    const [before, after] = [this.#scores.get('before')!, this.#scores.get('after')!];
    const changes = [...after].flatMap(([id, score]) => (before.has(id) ? [score - before.get(id)!] : []));
    return {
      n: after.size || Math.max(...models.map((model) => of(model).length)),
      before: estimate('before'),
      after: estimate('after'),
      teacher: estimate('teacher'),
      change: this.#estimate('change', changes, exact),
    };
  }

  #estimate(name: string, scores: readonly number[], exact: boolean): Estimate | null {
    if (scores.length === 0) return null;
    const known = this.#estimates.get(name);
    if (known && scores.length - known.n <= (exact ? 0 : known.n * STALE)) return known.estimate;
    const estimate = { mean: mean(scores), ...bootstrapInterval(scores) };
    this.#estimates.set(name, { n: scores.length, estimate });
    return estimate;
  }
}
