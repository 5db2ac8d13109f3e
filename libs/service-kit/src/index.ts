/** What every service's main needs: configuration, logs, health, reflection, graceful stop, and the streams' topics. */
export { newToken } from './callers.js';
export { ConfigError } from './config-error.js';
export { imageAccess, type ImageAccess } from './image-access.js';
export { Places } from './places.js';
export { createLogger, logLevel, type Logger } from './logger.js';
export { Metrics } from './metrics/metrics.js';
export { metricsConfig, openMetrics } from './metrics/open-metrics.js';
export { checkConfig, readConfig } from './read-config.js';
export { regularExpression } from './regular-expression.js';
export { processConfig, runService, type MainProcess } from './run-service.js';
export type { OpenStreams, Service, ServiceContext, ServiceParts } from './service.js';
export {
  configSchema,
  serverConfig,
  startInProcess,
  startService,
  type RunningService,
  type StartOptions,
} from './start-service.js';
export { masked, secretsIn } from './secrets.js';
export { startTracing, type TracingContext } from './tracing/start-tracing.js';
export { topics } from './topics.js';
export { EndOfWork, workerHandlers, type BatchReport, type Stage } from './worker.js';
