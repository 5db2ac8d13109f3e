import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { z } from 'zod';
import { masked } from './secrets.js';

export type { Logger } from 'pino';

/** Levels of the log, from all to nothing. */
export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);

/**
 * A logger that writes one JSON object a line, to standard output unless told otherwise. A line is written when the call
 * returns: pino's unsynchronized output would try for ever to flush the rest at exit, once nobody reads it any more. Without
 * a reader the log ends, and nothing else. Within a trace a line names it.
 *
 * @param secrets what never comes into the log, beside passwords in URLs and tokens in headers
 */
export function createLogger(
  name: string,
  level: z.output<typeof logLevel>,
  destination: DestinationStream = pino.destination({ sync: true }),
  secrets: readonly string[] = [],
): Logger {
  const timestamp = (): string => `,"time":"${new Date().toISOString()}"`;
  const hooks = { streamWrite: (line: string): string => masked(line, secrets) };
  return pino({ name, level, timestamp, mixin: activeTrace, hooks }, destination);
}

function activeTrace(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
