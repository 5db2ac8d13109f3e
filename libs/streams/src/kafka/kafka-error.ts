import { StreamsError } from '../streams-error.js';

/** What a broker answers a producer whose transactional id another one has taken over, by the versions that kafkajs speaks. */
const FENCED = ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'];

/** Whether another process has taken over the transactional id. */
export function isFenced(error: unknown): boolean {
  return causesOf(error).some(({ type }) => type !== undefined && FENCED.includes(type));
}

/** Whether the broker is still finishing the transaction before. */
export function isConcurrent(error: unknown): boolean {
  return causesOf(error).some(({ type }) => type === 'CONCURRENT_TRANSACTIONS');
}

/** Whether there is no such topic. */
export function isUnknownTopic(error: unknown): boolean {
  return causesOf(error).some(({ type }) => type === 'UNKNOWN_TOPIC_OR_PARTITION');
}

/** Whether the cluster does not let this user do it. */
export function isForbidden(error: unknown): boolean {
  return causesOf(error).some(({ type }) => type?.endsWith('AUTHORIZATION_FAILED'));
}

/** Whether a broker has answered that it cannot do it yet, such as a coordinator that still loads its groups. */
export function isNotYet(error: unknown): boolean {
  return causesOf(error).some(({ type, retriable }) => type !== undefined && retriable === true);
}

/** An error of kafkajs as one of this package: too large a record as `invalid-record`, all else as `store`. */
export function toStreamsError(doing: string, cause: unknown): StreamsError {
  if (cause instanceof StreamsError) return cause;
  const causes = causesOf(cause);
  if (causes.some(({ type }) => type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')) {
    const advice = 'a record is larger than the broker takes; raise max.message.bytes of the topic';
    return new StreamsError('invalid-record', `cannot ${doing}: ${advice}`, { cause });
  }
  const last = causes.at(-1)?.message || String(cause);
  return new StreamsError('store', `cannot ${doing}: ${last}`, { cause });
}

function causesOf(error: unknown): (Error & { readonly type?: string; readonly retriable?: boolean })[] {
  const causes: Error[] = [];
  for (let rest = error; rest instanceof Error && causes.length < 8; rest = rest.cause) causes.push(rest);
  return causes;
}
