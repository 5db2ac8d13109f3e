import type { OutgoingRecord } from './record.js';
import { StreamsError } from './streams-error.js';

const TOPIC_NAME = /^[A-Za-z0-9._-]{1,249}$/;
const MAX_NAME_BYTES = 1000;

/** Throws StreamsError `invalid-record` unless `topic` is a name that every transport accepts. */
export function checkTopic(topic: string): void {
  if (!TOPIC_NAME.test(topic)) {
    throw new StreamsError(
      'invalid-record',
      `"${topic}" is no topic name: use 1 to 249 letters, digits, ".", "_", "-"`,
    );
  }
}

/** Throws StreamsError `invalid-record` unless key and id have 1 to 1,000 bytes. */
export function checkRecord(topic: string, record: OutgoingRecord): void {
  for (const [field, text] of [
    ['key', record.key],
    ['id', record.id ?? record.key],
  ] as const) {
    if (!isName(text)) {
      throw new StreamsError(
        'invalid-record',
        `a record for ${topic} has a ${field} of ${Buffer.byteLength(text, 'utf8')} bytes: use 1 to ${MAX_NAME_BYTES}`,
      );
    }
  }
}

/** Whether a text can be the key or the id of a record. */
export function isName(text: string): boolean {
  const bytes = Buffer.byteLength(text, 'utf8');
  return bytes > 0 && bytes <= MAX_NAME_BYTES;
}
