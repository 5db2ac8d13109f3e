import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMarkdown, type Document } from './markdown.js';

/** Absolute path of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every document that a user or contributor is sent to, by its path in the repository. */
export const documents: ReadonlyMap<string, Document> = new Map(
  paths().map((path) => [path, readMarkdown(readFileSync(join(ROOT, path), 'utf8'))]),
);

/** The user's guide. */
export const guide = documents.get('docs/guide.md')!;

/** The rows of the guide's table whose header begins with `title`; every table has a title of its own. */
export function rowsOf(title: string): readonly (readonly string[])[] {
  const found = guide.tables.filter(({ header }) => header[0] === title);
  if (found.length !== 1) throw new Error(`the guide has ${found.length} tables with the title ${title}`);
  return found[0]!.rows;
}

/** The first column of such a table, each cell without the marks of code. */
export function namesIn(title: string): string[] {
  return rowsOf(title).map(([name]) => name!.replaceAll('`', ''));
}

function paths(): string[] {
  const at = (folder: string): string[] =>
    readdirSync(join(ROOT, folder)).map((name) => (folder === '' ? name : `${folder}/${name}`));
  const documented = [...at(''), ...at('docs')].filter((path) => path.endsWith('.md'));
  const packages = [...at('libs'), ...at('services')].flatMap((path) => at(path));
  return [...documented, ...packages.filter((path) => path.endsWith('/README.md'))];
}
