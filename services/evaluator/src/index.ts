/** The evaluator: accuracy and speed of checkpoints on a benchmark, side by side. */
export { evaluator } from './evaluator.js';
export type { EvaluatorConfig } from './evaluator-config.js';
