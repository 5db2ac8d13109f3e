import { mean } from '@mpa/answer-metrics';
import type { EvaluationSummary } from '@mpa/contracts';
import type { KeptResult } from './result-log.js';

/** What a summary says of a model's answers. */
export type Measured = Pick<
  EvaluationSummary,
  'accuracy' | 'questions' | 'withoutAnswers' | 'answersPerSecond' | 'latencyP50Milliseconds' | 'latencyP95Milliseconds'
>;

/**
 * Mean score, and speed: answers per second is questions over the seconds that their groups took; a question's latency is that
 * of its group, since all its answers come at once. All 0 without results.
 */
export function summarize(results: readonly KeptResult[]): Measured {
  const latencies = results.map(({ result }) => result.latencyMilliseconds).sort((a, b) => a - b);
  const seconds = results.reduce((sum, { result, together }) => sum + result.latencyMilliseconds / together / 1000, 0);
  const scored = results.filter(({ result }) => result.answers.length > 0);
  return {
    accuracy: scored.length > 0 ? mean(scored.map(({ result }) => result.score)) : 0,
    questions: results.length,
    withoutAnswers: results.length - scored.length,
    answersPerSecond: seconds > 0 ? results.length / seconds : 0,
    latencyP50Milliseconds: quantile(latencies, 0.5),
    latencyP95Milliseconds: quantile(latencies, 0.95),
  };
}

/** Of ascending values, interpolated between neighbours as numpy does; 0 of none. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? 0;
  return low + (high - low) * (at - Math.floor(at));
}
