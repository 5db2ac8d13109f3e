import { HEADER, type OutgoingRecord, type StreamRecord } from './record.js';

/**
 * The record that goes to the dead-letter topic: same key, id and value, with the cause and where the
 * original is added to its headers.
 */
export function toDeadLetter(record: StreamRecord, cause: unknown): OutgoingRecord {
  return {
    key: record.key,
    id: record.id,
    value: record.value,
    headers: {
      ...record.headers,
      [HEADER.deadCause]: describeCause(cause),
      [HEADER.deadTopic]: record.topic,
      [HEADER.deadPartition]: String(record.partition),
      [HEADER.deadOffset]: String(record.offset),
    },
  };
}

/** An error and the errors that caused it, in one line of at most 1,000 characters. */
function describeCause(error: unknown): string {
  const parts: string[] = [];
  for (let e = error; e !== undefined && parts.length < 8; e = e instanceof Error ? e.cause : undefined) {
    parts.push(String(e));
  }
  return parts.join(' <- ').slice(0, 1000);
}
