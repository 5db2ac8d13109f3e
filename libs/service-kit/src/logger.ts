import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { z } from 'zod';

export type { Logger } from 'pino';

/** Levels of the log, from all to nothing. */
export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);

/** A logger that writes one JSON object a line, to standard output unless told otherwise. */
export function createLogger(name: string, level: z.output<typeof logLevel>, destination?: DestinationStream): Logger {
  const options = { name, level, timestamp: () => `,"time":"${new Date().toISOString()}"` };
  return destination ? pino(options, destination) : pino(options);
}
