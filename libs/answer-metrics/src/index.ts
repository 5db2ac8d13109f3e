export { bootstrapInterval, mean, type BootstrapOptions } from './bootstrap-interval.js';
export { matches } from './match.js';
export { mcNemar, type McNemar } from './mcnemar.js';
export { MetricError } from './metric-error.js';
export { normalizeQuestion } from './normalize-question.js';
export { metricNames, metricOf, score, type MetricName } from './score.js';
export { tasks, type Task } from './task.js';
