import { context, SpanKind, trace } from '@opentelemetry/api';
import type { Attributes, Context } from '@opentelemetry/api';

/**
 * Begins a span in each of several traces, for work that is about all of them at once. Each is linked to the active span.
 *
 * @returns what ends them, with what there is to be said by then
 */
export function spanInEach(name: string, traces: readonly Context[]): (attributes?: Attributes) => void {
  const tracer = trace.getTracer('@mpa/telemetry');
  const active = trace.getSpanContext(context.active());
  const links = active ? [{ context: active }] : [];
  const spans = traces.map((parent) => tracer.startSpan(name, { kind: SpanKind.CONSUMER, links }, parent));
  return (attributes = {}) => {
    for (const span of spans) span.setAttributes(attributes).end();
  };
}
