import { diag, DiagLogLevel } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, ParentBasedSampler } from '@opentelemetry/sdk-trace-node';
import type { z } from 'zod';
import { RunSampler } from './run-sampler.js';
import type { TracingContext, tracingConfig } from './start-tracing.js';

/** Spans that may wait to be sent: images are listed, and learnt from, by the thousand at once. */
const MOST_WAITING = 32_768;

/** The part of `startTracing` that needs OpenTelemetry's SDK. */
export function registerTracer(
  name: string,
  { endpoint, sampleRatio }: NonNullable<z.output<typeof tracingConfig>>,
  { env, onProblem }: TracingContext,
): () => Promise<void> {
  const quiet = (): void => undefined;
  const logger = { error: onProblem, warn: onProblem, info: quiet, debug: quiet, verbose: quiet };
  diag.setLogger(logger, DiagLogLevel.WARN);
  setGlobalErrorHandler((error) => onProblem(messageOf(error)));
  const url = endpoint && `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter(url === undefined ? {} : { url });
  const queue = env['OTEL_BSP_MAX_QUEUE_SIZE'] === undefined ? { maxQueueSize: MOST_WAITING } : {};
  const ratio = sampleRatio ?? (env['OTEL_TRACES_SAMPLER'] === undefined ? 1 : undefined);
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': name, 'service.namespace': 'mpa' }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exporter, queue)],
    ...(ratio !== undefined && { sampler: new ParentBasedSampler({ root: new RunSampler(ratio) }) }),
  });
  provider.register();
  return () => provider.shutdown().catch((error: unknown) => onProblem(messageOf(error as Error)));
}

/** An error of several addresses that were tried has its own message empty. */
function messageOf(error: Parameters<Parameters<typeof setGlobalErrorHandler>[0]>[0]): string {
  const { message, code } = error as { readonly message?: string; readonly code?: string | number };
  return typeof error === 'string' ? error : message || `error ${code}`;
}
