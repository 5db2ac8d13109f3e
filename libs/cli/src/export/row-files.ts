import { open } from 'node:fs/promises';

/** A file that is written row by row. */
export interface RowFile<Row> {
  append(row: Row): Promise<void>;
  /** Writes what ends the file; it is complete then. */
  finish(): Promise<void>;
  /** Lets go of the file. */
  close(): Promise<void>;
}

/** Opens a JSON list, a row a line. */
export function openJsonList(path: string): Promise<RowFile<object>> {
  return openText(path, { before: '[\n', between: ',\n', after: '\n]\n' });
}

/** Opens a file of one JSON object a line. */
export function openJsonLines(path: string): Promise<RowFile<object>> {
  return openText(path, { before: '', between: '\n', after: '\n' });
}

interface Punctuation {
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

async function openText(path: string, { before, between, after }: Punctuation): Promise<RowFile<object>> {
  const file = await open(path, 'w');
  let lead = before;
  return {
    async append(row) {
      await file.appendFile(`${lead}${JSON.stringify(row)}`);
      lead = between;
    },
    finish: () => file.appendFile(lead === before ? `${before}${after.trimStart()}` : after),
    close: () => file.close(),
  };
}
