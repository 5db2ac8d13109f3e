import { StorageError } from '../storage-error.js';
import type { Files } from './files.js';

/** Bytes fetched at least: headers that lie close to each other come together. */
const AHEAD = 64 * 1024;
/** Most bytes read at once: headers and offsets are shorter, unless a file is damaged. */
const MOST = 64 * 2 ** 20;

/** A file that is read here and there, from front to back; keeps the stretch that was read last. */
export class FileWindow {
  #first = 0;
  #bytes: Buffer = Buffer.alloc(0);

  private constructor(
    readonly uri: string,
    readonly size: number,
    private readonly files: Files,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Throws StorageError when the file cannot be reached. */
  static async open(files: Files, uri: string, signal?: AbortSignal): Promise<FileWindow> {
    return new FileWindow(uri, await files.size(uri, signal), files, signal);
  }

  /** Throws StorageError `corrupt` when the stretch is not inside the file. */
  async read(first: number, length: number): Promise<Buffer> {
    if (length > MOST || first + length > this.size) {
      throw new StorageError(
        'corrupt',
        `${this.uri} ends early or is damaged: it tells of ${length} bytes at ${first}`,
      );
    }
    if (first < this.#first || first + length > this.#first + this.#bytes.length) {
      const range = { first, length: Math.min(Math.max(length, AHEAD), this.size - first) };
      const bytes = await this.files.read(this.uri, { range, maxBytes: MOST, signal: this.signal });
      if (bytes.length < length) throw new StorageError('corrupt', `${this.uri} was cut short while it was read`);
      this.#first = first;
      this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.#bytes.subarray(first - this.#first, first - this.#first + length);
  }
}
