/** A stretch of a file. */
export interface ByteRange {
  readonly first: number;
  readonly length: number;
}

/** What of a file is read. */
export interface ReadFileOptions {
  /** All of it without a range. A range that goes beyond the end gives what is there. */
  readonly range?: ByteRange | undefined;
  /** More than this is `too-large`, found out before it is read where the size is told. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Files of one scheme of URIs. All throw StorageError, with a code that says whether the file or the way to it is at fault. */
export interface Files {
  /** Bytes of the file. */
  size(uri: string, signal?: AbortSignal): Promise<number>;
  read(uri: string, options: ReadFileOptions): Promise<Uint8Array>;
}
