import { stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { describeFile, type ListedImage } from '@mpa/storage';

/**
 * The image that a file of annotations calls `name`, below `root`: every ending of the name is looked for, the longest first, since it is
 * often a path of another machine. Undefined where there is none; nothing outside `root` is found.
 */
export async function findImage(root: string, name: string): Promise<ListedImage | undefined> {
  const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  for (let from = 0; from < parts.length; from++) {
    const path = parts.slice(from).join('/');
    if (!resolve(root, path).startsWith(resolve(root) + sep)) continue;
    if (await exists(join(root, path))) return describeFile(root, path);
  }
  return undefined;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
