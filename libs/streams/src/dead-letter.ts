import { inspect } from 'node:util';
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

/** The same where the record with its new headers is too large: without its value, which is where the headers say. */
export function withoutValue(letter: OutgoingRecord): OutgoingRecord {
  const headers = { ...letter.headers, [HEADER.deadBytes]: String(letter.value.byteLength) };
  return { ...letter, value: new Uint8Array(), headers };
}

/** An error and the errors that caused it, in one line of at most 1,000 characters. */
function describeCause(error: unknown): string {
  const parts: string[] = [];
  let rest = error;
  while (rest instanceof Error && parts.length < 8) {
    parts.push(rest.toString());
    rest = rest.cause;
  }
  const isOther = rest !== undefined && !(rest instanceof Error);
  if (isOther || parts.length === 0) parts.push(typeof rest === 'string' ? rest : inspect(rest));
  return parts.join(' <- ').slice(0, 1000);
}
