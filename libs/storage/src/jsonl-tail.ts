import { open } from 'node:fs/promises';
import { toStorageError } from './system-error.js';

/** What came into a JSON-lines file since the last look. */
export interface JsonlNews<T> {
  readonly values: readonly T[];
  /** The file is another one, or was cut: earlier values count no more. */
  readonly restarted: boolean;
}

const BLOCK = 1 << 20;

/** Follows a JSON-lines file that another process appends to; each `read` gives the lines that are complete by then. */
export class JsonlTail<T> {
  /** Complete lines that are no JSON, from 1. */
  readonly corrupt: number[] = [];
  #inode = 0;
  #offset = 0;
  #lines = 0;

  constructor(readonly path: string) {}

  /**
   * The lines that were completed since the last call, without those that are no JSON. A file that is not there has none.
   * Throws StorageError `unreadable`.
   */
  async read(): Promise<JsonlNews<T>> {
    try {
      return await this.#read();
    } catch (error) {
      const failure = toStorageError('read', this.path, error);
      if (failure.code !== 'not-found') throw failure;
      return { values: [], restarted: this.#restart(0) };
    }
  }

  async #read(): Promise<JsonlNews<T>> {
    const file = await open(this.path, 'r');
    try {
      const { ino, size } = await file.stat();
      const restarted = (ino !== this.#inode || size < this.#offset) && this.#restart(ino);
      const values: T[] = [];
      let held = Buffer.alloc(0);
      while (this.#offset + held.length < size) {
        const block = Buffer.alloc(Math.min(BLOCK, size - this.#offset - held.length));
        const { bytesRead } = await file.read(block, 0, block.length, this.#offset + held.length);
        if (bytesRead === 0) break;
        held = Buffer.concat([held, block.subarray(0, bytesRead)]);
        const complete = held.lastIndexOf('\n') + 1;
        values.push(...this.#parse(held.toString('utf8', 0, complete)));
        this.#offset += complete;
        held = held.subarray(complete);
      }
      return { values, restarted };
    } finally {
      await file.close();
    }
  }

  #parse(text: string): T[] {
    return text
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => {
        this.#lines++;
        if (line === '') return [];
        try {
          return [JSON.parse(line) as T];
        } catch {
          this.corrupt.push(this.#lines);
          return [];
        }
      });
  }

  /** Says whether anything had been read. */
  #restart(inode: number): boolean {
    const hadRead = this.#offset > 0;
    this.#inode = inode;
    this.#offset = 0;
    this.#lines = 0;
    this.corrupt.length = 0;
    return hadRead;
  }
}
