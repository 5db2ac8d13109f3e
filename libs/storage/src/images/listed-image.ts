import type { StorageErrorCode } from '../storage-error.js';

/** An image, or an entry that looked like one and cannot be used. */
export type ListedImage = ListedPlace | SkippedImage;

/** An image. */
export interface ListedPlace {
  readonly kind: 'image';
  /**
   * Relative to the source folder (the glob's fixed part, the list's folder), with forward slashes; the URI where it lies
   * elsewhere. Inside a shard, the shard's own path comes first. Names the sample: see `sampleId`.
   */
  readonly path: string;
  /** From which any process that reaches the place can read this one image; see `imageUri`. */
  readonly uri: string;
}

/** What cannot be used, and why. */
export interface SkippedImage {
  readonly kind: 'skipped';
  readonly path: string;
  readonly uri: string;
  readonly reason: SkipReason;
  /** For people: the system's own words. */
  readonly detail: string;
}

/**
 * Why an entry was skipped: `empty` (no bytes), `not-a-file` (a pipe, socket or device),
 * `broken-link`, `unreadable-file`, `unreadable-folder`, `symlink-loop` (a link to a folder that it is
 * inside of), `linked-twice` (a folder that another link has already led to), `bad-line` (a line of a list that is no
 * reference); or the code of the StorageError that says what is wrong with a shard or a reference.
 */
export type SkipReason =
  | 'empty'
  | 'not-a-file'
  | 'broken-link'
  | 'unreadable-file'
  | 'unreadable-folder'
  | 'symlink-loop'
  | 'linked-twice'
  | 'bad-line'
  | StorageErrorCode;

/** A skip for an error; its words are the detail. */
export function skipped(path: string, uri: string, reason: SkipReason, cause: unknown): SkippedImage {
  return { kind: 'skipped', path, uri, reason, detail: cause instanceof Error ? cause.message : String(cause) };
}
