import { collectDefaultMetrics } from 'prom-client';
import { z } from 'zod';
import { hostPort } from '../host-port.js';
import { CallMetrics } from './call-metrics.js';
import { openMetricsPage } from './metrics-page.js';
import { Metrics } from './metrics.js';
import { ModelMetrics } from './model-metrics.js';

/** Where a service shows its metrics to Prometheus; a part of its configuration. */
export const metricsConfig = z.union([z.literal(false), z.strictObject({ listen: hostPort })]).default(false);

/** A service's metrics, shown or not. */
export interface OpenMetrics {
  readonly metrics: Metrics;
  readonly calls: CallMetrics;
  /** Of the page, if there is one. */
  readonly url?: string;
  /** Runs what the service does: models that it asks count to it. */
  run<T>(work: () => T): T;
  close(): Promise<void>;
}

/**
 * The metrics of a service. Those of its process and its models are taken only where there is a page to show them. Throws
 * ConfigError when its address cannot be listened on.
 */
export async function openMetrics(stage: string, config: z.output<typeof metricsConfig>): Promise<OpenMetrics> {
  const metrics = new Metrics(stage);
  const calls = new CallMetrics(metrics);
  if (config === false) return { metrics, calls, run: (work) => work(), close: async () => undefined };
  const page = await openMetricsPage(metrics.registry, config.listen);
  collectDefaultMetrics({ register: metrics.registry });
  const models = new ModelMetrics(metrics);
  return {
    metrics,
    calls,
    url: page.url,
    run: (work) => models.count(work),
    async close() {
      models.close();
      await page.close();
    },
  };
}
