import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Where a meta page of lmdb (lmdb.h: MDB_meta behind a page header of 24 bytes) has what. */
const META = { magic: 24, pageSize: 48, lastPage: 144, transaction: 152, bytes: 160 };
const MAGIC = 0xbeefc0de;
/** Last pages that lmdb freed before it ever wrote them may be missing from the file. */
const UNWRITTEN_BYTES = 1 << 20;

/**
 * Throws an Error when the data file in a log's folder is not lmdb's or was cut short: lmdb maps it into memory as it is, and
 * reading past its end would end the process.
 */
export function checkLogFile(folder: string): void {
  const file = openSync(join(folder, 'data.mdb'), 'r');
  try {
    const first = metaAt(file, 0);
    const second = metaAt(file, first.pageSize);
    const { lastPage } = second.transaction > first.transaction ? second : first;
    if ((lastPage + 1) * first.pageSize > fstatSync(file).size + UNWRITTEN_BYTES)
      throw new Error('data.mdb was cut short');
  } finally {
    closeSync(file);
  }
}

function metaAt(file: number, position: number): { pageSize: number; lastPage: number; transaction: number } {
  const page = Buffer.alloc(META.bytes);
  const read = readSync(file, page, 0, page.length, position);
  if (read < page.length || page.readUInt32LE(META.magic) !== MAGIC) throw new Error('data.mdb is no log');
  return {
    pageSize: page.readUInt32LE(META.pageSize),
    lastPage: Number(page.readBigUInt64LE(META.lastPage)),
    transaction: Number(page.readBigUInt64LE(META.transaction)),
  };
}
