/** A code block; `language` is empty for an indented one. */
export interface CodeBlock {
  readonly language: string;
  readonly lines: readonly string[];
}

/** A table: its header and rows as cells of Markdown. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The parts of a Markdown document that can be checked. */
export interface Document {
  readonly blocks: readonly CodeBlock[];
  readonly tables: readonly Table[];
  /** Texts of inline code. */
  readonly spans: readonly string[];
  /** Targets of links and images. */
  readonly links: readonly string[];
  /** Anchors of the headings, as GitHub makes them. */
  readonly anchors: readonly string[];
}

/** Reads as much of Markdown as this repository's documents use. */
export function readMarkdown(text: string): Document {
  const blocks: CodeBlock[] = [];
  const prose: string[] = [];
  const lines = text.split('\n');
  while (lines.length > 0) {
    const line = lines.shift()!;
    const fence = /^```(\S*)$/.exec(line);
    if (fence) {
      const end = lines.indexOf('```');
      blocks.push({ language: fence[1]!, lines: lines.splice(0, end) });
      lines.shift();
    } else if (isIndented(line) && (prose.at(-1) ?? '') === '') {
      const end = lines.findIndex((next) => !isIndented(next));
      const rest = lines.splice(0, end < 0 ? lines.length : end);
      blocks.push({ language: '', lines: [line, ...rest].map((each) => each.slice(4)) });
    } else {
      prose.push(line);
    }
  }
  const whole = prose.join('\n').replaceAll(/<!--.*?-->/gs, '');
  const captured = (pattern: RegExp): string[] => [...whole.matchAll(pattern)].map((match) => match[1]!);
  return {
    blocks,
    tables: tablesOf(prose),
    spans: captured(/`([^`]+)`/g).map((span) => span.replaceAll(/\s+/g, ' ')),
    links: captured(/\]\(([^)\s]+)\)/g),
    anchors: captured(/^#+ (.+)$/gm).map(anchorOf),
  };
}

function isIndented(line: string): boolean {
  return line.startsWith('    ');
}

function tablesOf(lines: readonly string[]): Table[] {
  const tables: { header: string[]; rows: string[][] }[] = [];
  lines.forEach((line, i) => {
    if (!line.startsWith('|')) return;
    if (!lines[i - 1]?.startsWith('|')) tables.push({ header: cellsOf(line), rows: [] });
    else if (!/^[|\s:-]+$/.test(line)) tables.at(-1)!.rows.push(cellsOf(line));
  });
  return tables;
}

function cellsOf(row: string): string[] {
  const cells = row.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
