/** Scores checkpoints on benchmarks, side by side. */
export { evaluator } from './evaluator.js';
export { evaluatorConfig, type EvaluatorConfig } from './evaluator-config.js';
