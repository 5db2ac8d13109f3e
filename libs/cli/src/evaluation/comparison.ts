import { bootstrapInterval, mcNemar, mean, score } from '@mpa/answer-metrics';
import type { McNemar, MetricName } from '@mpa/answer-metrics';
import type { EvaluationResult } from '@mpa/contracts';
import { questionKey } from './read-results.js';

/** A mean and its 95 % bootstrap interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** One model among others. */
export interface ComparedResults {
  readonly name: string;
  /** Mean score in [0, 1]. */
  readonly accuracy: Estimate;
  readonly n: number;
  /** Against the first model, on the questions that both answered; absent for the first. */
  readonly versusFirst?: Difference;
}

/** How a model differs from another one on the same questions. */
export interface Difference {
  readonly n: number;
  /** Mean difference of the scores, and its interval by bootstrap over the questions (paired). */
  readonly difference: Estimate;
  /** Of right answers: those with a score of at least one half. */
  readonly mcNemar: McNemar;
}

const RIGHT = 0.5;

/** Mean of scores with its bootstrap interval. */
export function estimate(scores: readonly number[]): Estimate {
  return { mean: mean(scores), ...bootstrapInterval(scores) };
}

/** A result's score: by `metric`, or else by the one that it was scored with; undefined where the answers are not published. */
export function scoreOf({ prediction, answers, metric }: EvaluationResult, other?: MetricName): number | undefined {
  return answers.length === 0 ? undefined : score(other ?? (metric as MetricName), prediction, answers);
}

/** Every model's accuracy, and its difference from the first one's. Models without a scored answer are left out. */
export function compare(
  models: readonly { readonly name: string; readonly results: readonly EvaluationResult[] }[],
  metric?: MetricName,
): ComparedResults[] {
  const scored = models
    .map(({ name, results }) => ({ name, scores: scoresByQuestion(results, metric) }))
    .filter(({ scores }) => scores.size > 0);
  const [first] = scored;
  return scored.map(({ name, scores }) => ({
    name,
    accuracy: estimate([...scores.values()]),
    n: scores.size,
    ...(scores !== first!.scores && differing(first!.scores, scores)),
  }));
}

type Scores = ReadonlyMap<string, number>;

function scoresByQuestion(results: readonly EvaluationResult[], metric: MetricName | undefined): Scores {
  return new Map(
    results.flatMap((result) => {
      const value = scoreOf(result, metric);
      return value === undefined ? [] : [[questionKey(result), value] as const];
    }),
  );
}

function differing(first: Scores, second: Scores): { versusFirst?: Difference } {
  const pairs = [...first].flatMap(([key, one]) => (second.has(key) ? [[one, second.get(key)!] as const] : []));
  if (pairs.length === 0) return {};
  const isRight = (value: number): boolean => value >= RIGHT;
  return {
    versusFirst: {
      n: pairs.length,
      difference: estimate(pairs.map(([one, other]) => other - one)),
      mcNemar: mcNemar(
        pairs.map(([one]) => isRight(one)),
        pairs.map(([, other]) => isRight(other)),
      ),
    },
  };
}
