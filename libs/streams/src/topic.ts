import { HEADER, type Headers, type OutgoingRecord, type StreamRecord } from './record.js';
import type { Batch, ReadOptions, Streams } from './streams.js';
import { StreamsError } from './streams-error.js';

/** A topic whose values are messages of type T. */
export interface Topic<T> {
  readonly name: string;
  /** Wraps a message for sending; `id` defaults to the key. The content type is added to the headers. */
  record(key: string, message: T, options?: { id?: string; headers?: Headers }): OutgoingRecord;
  /** The message of a record. Throws StreamsError `undecodable`, naming topic, partition and offset. */
  decode(record: StreamRecord): T;
  /** The messages of all records, as `Streams.readAll` gives them. Records that do not decode are left out: a worker puts them aside. */
  read(
    streams: Pick<Streams, 'readAll'>,
    options?: ReadOptions,
  ): AsyncIterable<{ readonly record: StreamRecord; readonly message: T }>;
  /**
   * The messages of a batch of this topic. Records that do not decode are sent to the dead-letter
   * topic as part of the batch and left out of the result.
   */
  decodeBatch(batch: Batch): { record: StreamRecord; message: T }[];
}

/** How a topic's messages become bytes and back. */
export interface Codec<T> {
  /** Put in the content-type header, e.g. `application/x-protobuf; type=mpa.v1.Decision`. */
  readonly contentType: string;
  encode(message: T): Uint8Array;
  /** Throws on bytes that are no such message. */
  decode(bytes: Uint8Array): T;
}

/**
 * Ties a topic name to a codec.
 *
 *     const decisions = defineTopic('decisions', { contentType, encode: (m) => toBinary(S, m), decode: (b) => fromBinary(S, b) });
 *     await streams.producer.send(decisions.name, [decisions.record(sampleId, message)]);
 */
export function defineTopic<T>(name: string, codec: Codec<T>): Topic<T> {
  function decode(record: StreamRecord): T {
    try {
      return codec.decode(record.value);
    } catch (cause) {
      const where = `${record.topic}[${record.partition}]@${record.offset}`;
      throw new StreamsError('undecodable', `record ${where} is not ${codec.contentType}`, { cause });
    }
  }
  return {
    name,
    decode,
    record(key, message, options = {}) {
      return {
        key,
        value: codec.encode(message),
        ...(options.id === undefined ? {} : { id: options.id }),
        headers: { ...options.headers, [HEADER.contentType]: codec.contentType },
      };
    },
    async *read(streams, options) {
      for await (const record of streams.readAll(name, options)) {
        let message: T;
        try {
          message = decode(record);
        } catch {
          continue;
        }
        yield { record, message };
      }
    },
    decodeBatch(batch) {
      return batch.records.flatMap((record) => {
        try {
          return [{ record, message: decode(record) }];
        } catch (error) {
          batch.deadLetter(record, error);
          return [];
        }
      });
    },
  };
}
