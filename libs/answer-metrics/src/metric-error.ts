/** Thrown when a metric is not defined for its input (unknown metric, no answers, a value that is not a string); the message says what to give instead. */
export class MetricError extends Error {
  override readonly name = 'MetricError';
}
