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
  const headers = Object.fromEntries(
    Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  const { [ID_HEADER]: id, ...others } = headers;
  const place = `${partition}@${message.offset}`;
  const key = usableName(message.key?.toString()) ?? place;
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key,
    id: usableName(id) ?? key,
    value: message.value ?? new Uint8Array(),
    headers: others,
    timestamp: Number(message.timestamp),
  };
}

function usableName(text: string | undefined): string | undefined {
  return text !== undefined && isName(text) ? text : undefined;
}
