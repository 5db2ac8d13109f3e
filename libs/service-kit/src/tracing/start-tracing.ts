import { z } from 'zod';

/** Where a process sends its traces, and how many; a part of its configuration. */
export const tracingConfig = z
  .strictObject({
    /** Base URL of a collector that takes OTLP over HTTP; default that of the standard environment variables. */
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
    /** Share of images that are followed; default that of the standard environment variables, or all. */
    sampleRatio: z.number().min(0).max(1).optional(),
  })
  .optional();

/** Around the traces of a process. */
export interface TracingContext {
  /** The environment: OpenTelemetry's standard variables count where the configuration says nothing. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told what cannot be sent. */
  readonly onProblem: (message: string) => void;
}

/**
 * Has this process send its traces, where its configuration or OTEL_EXPORTER_OTLP_ENDPOINT says so; without either, OpenTelemetry's
 * SDK is not even loaded.
 *
 * @param name of the process, as the traces call it
 * @returns what sends the rest, and ends it
 */
export async function startTracing(
  name: string,
  config: z.output<typeof tracingConfig>,
  { env, onProblem }: TracingContext,
): Promise<() => Promise<void>> {
  const named = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  if ((config === undefined && !named) || env['OTEL_SDK_DISABLED'] === 'true') return async () => undefined;
  const { registerTracer } = await import('./register-tracer.js');
  return registerTracer(name, config ?? {}, { env, onProblem });
}
