/** Where images are listed and files are read and written. Paths are `file://` URIs or plain paths. */
export interface Storage {
  /**
   * The images of a folder (recursively), of a glob, those that a `.txt` file names line by line, or one image file, as a stream in
   * a fixed order: by name within each folder, or the list's. Entries that cannot be used come as skips with a reason.
   * Memory: the names of the folders on the way down, never the whole tree.
   * @throws StorageError `not-found` (no such source), `no-images` (at the end, when no image came)
   */
  listImages(source: string, options?: { signal?: AbortSignal }): AsyncIterable<ListedImage>;
  /**
   * The bytes of a file.
   * @throws StorageError `not-found`, `unreadable`, `too-large` (before reading, when over `maxBytes`)
   */
  read(uri: string, options?: { maxBytes?: number; signal?: AbortSignal }): Promise<Uint8Array>;
  /** Writes a file so that readers see the old content or the new, never a part, also after a crash. */
  write(uri: string, data: Uint8Array | string): Promise<void>;
}

/** An image, or an entry that looked like one and cannot be used. */
export type ListedImage =
  | {
      readonly kind: 'image';
      /** `sampleId(path)`. */
      readonly id: string;
      /** Relative to the source folder (or the glob's fixed part), with forward slashes. */
      readonly path: string;
      readonly uri: string;
      readonly bytes: number;
    }
  | {
      readonly kind: 'skipped';
      readonly id: string;
      readonly path: string;
      readonly uri: string;
      readonly reason: SkipReason;
      /** The system's own words, for the log. */
      readonly detail: string;
    };

/**
 * Why an entry was skipped: `empty` (0 bytes), `not-a-file` (a pipe, socket or device),
 * `broken-link`, `unreadable-file`, `unreadable-folder`, `symlink-loop` (a link to a folder that it is
 * inside of), `linked-twice` (a folder that another link has already led to).
 */
export type SkipReason =
  'empty' | 'not-a-file' | 'broken-link' | 'unreadable-file' | 'unreadable-folder' | 'symlink-loop' | 'linked-twice';
