import type { Document } from './markdown.js';

/** Languages of blocks that hold no commands. An indented block has none and holds commands. */
const OTHER_LANGUAGES: ReadonlySet<string> = new Set(['yaml', 'json', 'ts', 'text']);

/** The shell commands of a document, in its order, without comments; a line that ends in `\` goes on in the next. */
export function commandsOf({ blocks }: Document): string[] {
  return blocks
    .filter(({ language }) => !OTHER_LANGUAGES.has(language))
    .flatMap(({ lines }) =>
      lines
        .join('\n')
        .replaceAll(/\\\n\s*/g, '')
        .split('\n'),
    )
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** The configuration files that a document shows: YAML blocks whose first line is their name, as a comment. Others are examples. */
export function filesOf({ blocks }: Document): Map<string, string> {
  const files = blocks
    .filter(({ language }) => language === 'yaml')
    .flatMap(({ lines }): [string, string][] => {
      const name = /^# (\S+\.yaml)$/.exec(lines[0] ?? '')?.[1];
      return name === undefined ? [] : [[name, lines.join('\n')]];
    });
  return new Map(files);
}
