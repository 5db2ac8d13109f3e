import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span } from '@opentelemetry/api';

/** Runs `work` as the span, which is the active one for all that it calls, and ends the span with it. */
export async function inSpan<T>(span: Span, work: () => Promise<T>, parent: Context = context.active()): Promise<T> {
  try {
    return await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Writes down what a span failed with. What was cancelled has not failed. */
export function failSpan(span: Span, error: unknown): void {
  if (isCancellation(error)) return void span.setAttribute('mpa.cancelled', true);
  const exception = error instanceof Error ? error : String(error);
  span.recordException(exception);
  span.setStatus({ code: SpanStatusCode.ERROR, message: exception instanceof Error ? exception.message : exception });
}

function isCancellation(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || ('code' in error && error.code === 'CANCELLED'));
}
