import type { EvaluationResult, EvaluationSummary, MessageInitShape } from '@mpa/contracts';
import type { EvaluationSummarySchema } from '@mpa/contracts';

type SummaryInit = Exclude<MessageInitShape<typeof EvaluationSummarySchema>, EvaluationSummary>;

/** Accuracy and speed of one model from its results. All zero when there are none. */
export function summarize(results: readonly EvaluationResult[]): SummaryInit {
  const latencies = results.map(({ latencyMilliseconds }) => latencyMilliseconds).sort((a, b) => a - b);
  const seconds = sum(latencies) / 1000;
  return {
    questions: results.length,
    accuracy: sum(results.map(({ score }) => score)) / Math.max(1, results.length),
    answersPerSecond: seconds > 0 ? results.length / seconds : 0,
    latencyP50Milliseconds: quantile(latencies, 0.5),
    latencyP95Milliseconds: quantile(latencies, 0.95),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Of ascending values, interpolated between neighbours as numpy does; 0 of none. */
function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? 0;
  return low + (high - low) * (at - Math.floor(at));
}
