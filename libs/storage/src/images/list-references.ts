import type { Files } from './files.js';
import { skipped, type ListedImage } from './listed-image.js';
import { readLines } from './read-lines.js';
import type { References } from './references.js';

/** So much of a reference that cannot be used is kept. */
const SHOWN = 200;

/**
 * The images that a list names: a reference a line (`.txt`), or one in each line's JSON object, as `image` (`.jsonl`). A line
 * that is none gives a skip that names it. Memory: some megabytes of the list.
 */
export async function* listReferences(
  list: string,
  kind: 'txt' | 'jsonl',
  { files, references, signal }: { files: Files; references: References; signal: AbortSignal | undefined },
): AsyncIterable<ListedImage> {
  const name = list.slice(list.lastIndexOf('/') + 1);
  for await (const { number, text } of readLines(files, list, signal)) {
    signal?.throwIfAborted();
    const reference = text === undefined || kind === 'txt' ? text : imageOf(text);
    if (reference !== undefined) yield await references.entry(reference);
    else {
      const why = text === undefined ? 'is too long' : `is no JSON object with a text "image": ${text.slice(0, SHOWN)}`;
      yield skipped(`${name}:${number}`, list, 'bad-line', `line ${number} ${why}`);
    }
  }
}

function imageOf(line: string): string | undefined {
  try {
    const { image } = JSON.parse(line) as { image?: unknown };
    return typeof image === 'string' && image.trim() !== '' ? image.trim() : undefined;
  } catch {
    return undefined;
  }
}
