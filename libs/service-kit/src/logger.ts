import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { z } from 'zod';

export type { Logger } from 'pino';

/** Levels of the log, from all to nothing. */
export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);

/**
 * A logger that writes one JSON object a line, to standard output unless told otherwise. A line is written when the call
 * returns: pino's unsynchronized output would try for ever to flush the rest at exit, once nobody reads it any more. Without
 * a reader the log ends, and nothing else. Within a trace a line names it.
 */
export function createLogger(
  name: string,
  level: z.output<typeof logLevel>,
  destination: DestinationStream = pino.destination({ sync: true }),
): Logger {
  const timestamp = (): string => `,"time":"${new Date().toISOString()}"`;
  return pino({ name, level, timestamp, mixin: activeTrace }, destination);
}

function activeTrace(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
