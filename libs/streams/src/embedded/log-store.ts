import { mkdirSync } from 'node:fs';
import { open, type Database, type Key, type RootDatabase, type TransactionFlags } from 'lmdb';
import { checkTopic } from '../check-record.js';
import { partitionOf } from '../partition-of.js';
import type { OutgoingRecord, StreamRecord } from '../record.js';
import { StreamsError } from '../streams-error.js';
import { Wakeup } from '../wakeup.js';
import { checkLogFile } from './check-log-file.js';

/** Address space reserved for the map, not disk space. */
const MAP_BYTES = 64 * 2 ** 30;
/** lmdb's flags for a transaction that can roll back and returns once other processes see it, but does not wait for the disk. */
const UNFLUSHED = 0x10003 as TransactionFlags;

/** A stored record; its topic, partition and offset are in its key. */
interface StoredRecord {
  readonly key: string;
  readonly id: string;
  readonly value: Uint8Array;
  readonly headers: Record<string, string>;
  readonly timestamp: number;
}

/**
 * The tables of the embedded log in one lmdb environment, which any number of processes may open.
 *
 *     records  [topic, partition, offset] -> StoredRecord      ends     [topic, partition] -> next offset
 *     ids      [topic, id] -> true                             topics   topic -> number of partitions
 *     offsets  [group, topic, partition] -> next offset        leases, members: see GroupMember
 *
 * A killed process leaves no half transaction: lmdb commits by switching one page, and its write lock
 * passes to the next process.
 */
export class LogStore {
  readonly offsets: Database<number>;
  readonly leases: Database;
  readonly members: Database;
  readonly #root: RootDatabase;
  readonly #records: Database<StoredRecord>;
  readonly #ids: Database<boolean>;
  readonly #ends: Database<number>;
  readonly #topics: Database<number>;
  readonly #newTopicPartitions: number;
  readonly #readOnly: boolean;
  /** Notified when this process has written. */
  readonly wakeup = new Wakeup();
  #open = true;

  /**
   * Throws StreamsError `store` when the folder cannot be made or opened.
   *
   * @param mode how many partitions new topics get; or `read-only` to look at a log that is there
   */
  constructor(folder: string, mode: 'read-only' | { readonly partitions: number }) {
    this.#readOnly = mode === 'read-only';
    this.#newTopicPartitions = mode === 'read-only' ? 0 : mode.partitions;
    try {
      if (this.#readOnly) checkLogFile(folder);
      else mkdirSync(folder, { recursive: true });
      // lmdb takes a path with an extension for a file unless told otherwise.
      this.#root = open({ path: folder, noSubdir: false, mapSize: MAP_BYTES, maxDbs: 12, readOnly: this.#readOnly });
      this.#records = this.#root.openDB({ name: 'records' });
      this.#ids = this.#root.openDB({ name: 'ids' });
      this.#ends = this.#root.openDB({ name: 'ends' });
      this.#topics = this.#root.openDB({ name: 'topics' });
      this.offsets = this.#root.openDB({ name: 'offsets' });
      this.leases = this.#root.openDB({ name: 'leases' });
      this.members = this.#root.openDB({ name: 'members' });
      // Read-only, lmdb gives nothing for a table that is not there, whatever its types say.
      if (this.#readOnly && ![this.#records, this.#ends, this.#topics].every(Boolean))
        throw new Error('it has no tables');
    } catch (cause) {
      throw new StreamsError('store', `cannot open the streams in ${folder}: ${String(cause)}`, { cause });
    }
  }

  /**
   * Runs `change` alone among all processes; all of it is stored, or none if it throws. Synchronous on
   * purpose: the lock is never held while the event loop does something else.
   * `flush` waits for the disk too (power failure); without it the change still outlives the process.
   */
  write<T>(change: () => T, options: { flush: boolean } = { flush: true }): T {
    this.#assertOpen();
    if (this.#readOnly) throw new StreamsError('store', 'the streams were opened to be read only');
    try {
      return options.flush ? this.#root.transactionSync(change) : this.#root.transactionSync(change, UNFLUSHED);
    } catch (cause) {
      if (cause instanceof StreamsError) throw cause;
      throw new StreamsError('store', `cannot write to the streams: ${String(cause)}`, { cause });
    }
  }

  /** Lets the reads that follow see what other processes have committed. */
  refresh(): void {
    this.#assertOpen();
    this.#root.resetReadTxn();
  }

  /** The topic's number of partitions; makes the topic if need be, unless read-only. */
  partitions(topic: string): number {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    if (this.#readOnly) return 0;
    checkTopic(topic);
    return this.write(() => {
      const count = this.#topics.get(topic) ?? this.#newTopicPartitions;
      this.#topics.putSync(topic, count);
      return count;
    });
  }

  /** Within `write`: adds the record unless the topic has its id already; says whether it did. */
  append(topic: string, record: OutgoingRecord, timestamp: number): boolean {
    const id = record.id ?? record.key;
    if (this.#ids.doesExist([topic, id])) return false;
    const partition = partitionOf(record.key, this.partitions(topic));
    const offset = this.end(topic, partition);
    const { key, value, headers = {} } = record;
    this.#records.putSync([topic, partition, offset], { key, id, value, headers, timestamp });
    this.#ids.putSync([topic, id], true);
    this.#ends.putSync([topic, partition], offset + 1);
    return true;
  }

  /** Offset that the next record of the partition will get. */
  end(topic: string, partition: number): number {
    return this.#ends.get([topic, partition]) ?? 0;
  }

  /** Records from offset `from` up to `end`, at most `maxRecords`, stopping before `maxBytes` of values is passed. */
  read(
    topic: string,
    partition: number,
    range: { from: number; end: number; maxRecords: number; maxBytes: number },
  ): StreamRecord[] {
    const found: StreamRecord[] = [];
    let bytes = 0;
    const rows = this.#records.getRange({
      start: [topic, partition, range.from],
      end: [topic, partition, range.end],
      limit: range.maxRecords,
    });
    for (const { key, value } of rows) {
      bytes += value.value.byteLength;
      if (found.length > 0 && bytes > range.maxBytes) break;
      found.push({ topic, partition, offset: offsetOf(key), ...value });
    }
    return found;
  }

  /** Frees what killed processes were reading; until then their old pages cannot be used again. */
  clearDeadReaders(): void {
    this.#root.readerCheck();
  }

  async close(): Promise<void> {
    this.#open = false;
    this.wakeup.notify();
    await this.#root.close();
  }

  #assertOpen(): void {
    if (!this.#open) throw new StreamsError('closed', 'the streams are closed');
  }
}

function offsetOf(key: Key): number {
  return (key as [string, number, number])[2];
}
