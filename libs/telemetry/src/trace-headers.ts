import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { Context, Span } from '@opentelemetry/api';

/** Where a trace goes on. */
export type TraceContext = Context;

/** Text by header name, as calls and records carry it. */
type Headers = Readonly<Record<string, string>>;

/** Header of a call with the traces that it is also about; see {@link joinTraces}. */
export const FOLLOWED_HEADER = 'mpa-followed-traces';

/** Most traces in that header: it has to fit, with all others, into the 8 KiB that gRPC takes. */
export const MOST_FOLLOWED = 100;

/** W3C's name of the header that says which span something comes from (https://www.w3.org/TR/trace-context/). */
const TRACE_PARENT = 'traceparent';

/** The headers that make what they are sent with a part of the span's trace; none as long as nobody traces. */
export function traceHeaders(span: Span): Headers {
  const headers: Record<string, string> = {};
  propagation.inject(trace.setSpan(ROOT_CONTEXT, span), headers);
  return headers;
}

/** Where the trace goes on that the headers are part of; undefined for those of no trace, and as long as nobody traces. */
export function tracedContext(headers: Headers): TraceContext | undefined {
  if (headers[TRACE_PARENT] === undefined) return undefined;
  const context = propagation.extract(ROOT_CONTEXT, headers);
  return trace.getSpanContext(context) && context;
}

/** The value of {@link FOLLOWED_HEADER} for traces as records name them: the first {@link MOST_FOLLOWED}. */
export function joinTraces(followed: readonly Headers[]): string {
  return followed
    .flatMap((headers) => headers[TRACE_PARENT] ?? [])
    .slice(0, MOST_FOLLOWED)
    .join(',');
}

/** Where the traces go on that such a value names. */
export function splitTraces(value: string | undefined): TraceContext[] {
  return (value ?? '').split(',').flatMap((parent) => tracedContext({ [TRACE_PARENT]: parent }) ?? []);
}
