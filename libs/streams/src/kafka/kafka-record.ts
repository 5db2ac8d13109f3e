import type { KafkaMessage, Message } from 'kafkajs';
import { isName } from '../check-record.js';
import { partitionOf } from '../partition-of.js';
import type { OutgoingRecord, StreamRecord } from '../record.js';

/** Header of a record's id, where it is not the key. */
const ID_HEADER = 'mpa-id';

/** A record as kafkajs writes it, for a topic of so many partitions. */
export function toMessage({ key, id, value, headers }: OutgoingRecord, partitions: number): Message {
  return {
    key,
    value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    partition: partitionOf(key, partitions),
    headers: { ...headers, ...(id === undefined || id === key ? {} : { [ID_HEADER]: id }) },
  };
}

/** A record as kafkajs read it; `topic` is our name for it. One that others wrote without a key that we can use goes by its place. */
export function fromMessage(topic: string, partition: number, message: KafkaMessage): StreamRecord {
  const headers: Record<string, string> = {};
  let id: string | undefined;
  for (const name in message.headers) {
    const text = String(message.headers[name]);
    if (name === ID_HEADER) id = text;
    else headers[name] = text;
  }
  const key = usableName(message.key?.toString()) ?? `${partition}@${message.offset}`;
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key,
    id: usableName(id) ?? key,
    value: message.value ?? new Uint8Array(),
    headers,
    timestamp: Number(message.timestamp),
  };
}

function usableName(text: string | undefined): string | undefined {
  return text !== undefined && isName(text) ? text : undefined;
}
