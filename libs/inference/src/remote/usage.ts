import type { TeacherReply } from '@mpa/contracts';
import type { EndpointConfig } from './endpoint-config.js';

/** What asking an endpoint came to. */
export interface Usage {
  /** HTTP requests, repetitions included; each carries one image. */
  readonly requests: number;
  /** How many of them were repetitions. */
  readonly retries: number;
  /** Requests that led to a reply, and so images that were looked at. */
  readonly images: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Nothing asked. */
export const NO_USAGE: Usage = { requests: 0, retries: 0, images: 0, inputTokens: 0, outputTokens: 0 };

/** Two accounts as one. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    requests: a.requests + b.requests,
    retries: a.retries + b.retries,
    images: a.images + b.images,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
  };
}

/** The part of a record on the topic `replies`. */
export function usageOf({ requests, inputTokens, outputTokens, failed }: Omit<TeacherReply, '$typeName'>): Usage {
  return { requests, retries: Math.max(0, requests - 1), images: failed ? 0 : 1, inputTokens, outputTokens };
}

/** Cost of tokens at given prices. */
export function costOf(
  { inputTokens, outputTokens }: Pick<Usage, 'inputTokens' | 'outputTokens'>,
  { input, output }: NonNullable<EndpointConfig['prices']>,
): number {
  return (inputTokens * input + outputTokens * output) / 1e6;
}
