import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import { inSpan } from '@mpa/telemetry';

/** Begins the span of a call that goes out, within the active one. Whoever begins it ends it. */
export function startClientSpan(path: string): Span {
  return tracer().startSpan(path.slice(1), { kind: SpanKind.CLIENT, attributes: attributesOf(path) });
}

/** Answers a call as a span of the caller's trace. */
export function inServerSpan<T>(
  path: string,
  headers: Readonly<Record<string, string>>,
  answer: () => Promise<T>,
): Promise<T> {
  const parent = propagation.extract(context.active(), headers);
  const span = tracer().startSpan(path.slice(1), { kind: SpanKind.SERVER, attributes: attributesOf(path) }, parent);
  return inSpan(span, answer, parent);
}

const tracer = (): ReturnType<typeof trace.getTracer> => trace.getTracer('@mpa/contracts');

/** OpenTelemetry's names for what `/package.Service/Method` is. */
function attributesOf(path: string): Record<string, string> {
  const [, service = '', method = ''] = path.split('/');
  return { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
}
