import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ImageStore } from '@mpa/storage';

/** Folder of the copies, beside the file that names them. */
const FOLDER = 'images';

/**
 * Copies an image into `images/` of a folder, once for all samples on it, and gives its path relative to the folder. The name says
 * where it came from: images of one name stay apart. Throws StorageError for one that cannot be read.
 */
export async function copyImage(place: string, folder: string): Promise<string> {
  const digest = createHash('sha256').update(place).digest('hex').slice(0, 12);
  const path = `${FOLDER}/${digest}-${basename(place)}`;
  const copy = join(folder, path);
  if (existsSync(copy)) return path;
  const bytes = await new ImageStore().read(place);
  await mkdir(dirname(copy), { recursive: true });
  await writeFile(copy, bytes);
  return path;
}
