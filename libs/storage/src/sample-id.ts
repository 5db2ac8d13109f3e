import { createHash } from 'node:crypto';

/**
 * The id of the image at `path`, relative to its source, with forward slashes: the first 128 bits of
 * the path's SHA-256, as 32 hexadecimal digits. It names the place, not the content: moving the whole
 * source folder or editing an image keeps it, renaming the image changes it.
 */
export function sampleId(path: string): string {
  return createHash('sha256').update(path, 'utf8').digest('hex').slice(0, 32);
}
