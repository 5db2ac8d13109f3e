import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { JSONParser } from '@streamparser/json';
import { CliError } from '../cli-error.js';

/** A row of a file of annotations: its value, or what is wrong with its text. Rows count from 1. */
export type Row = { readonly row: number } & ({ readonly value: unknown } | { readonly malformed: string });

const BEGINS = /[^\s\uFEFF]/;

/**
 * The rows of a file that is a JSON list or has a JSON value a line, one at a time. A line that is not JSON is a row. Throws CliError for a
 * file that cannot be read or holds nothing, and where a list is not JSON, naming file and line.
 */
export async function* readRows(file: string): AsyncGenerator<Row> {
  try {
    const first = await firstCharacter(file);
    if (first === undefined) throw new CliError(`${file} is empty`);
    yield* first === '[' ? ofList(file) : ofLines(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new CliError(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function firstCharacter(file: string): Promise<string | undefined> {
  for await (const chunk of createReadStream(file, 'utf8')) {
    const found = BEGINS.exec(chunk as string);
    if (found) return found[0];
  }
  return undefined;
}

async function* ofLines(file: string): AsyncGenerator<Row> {
  let row = 0;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    row++;
    if (!BEGINS.test(line)) continue;
    try {
      yield { row, value: JSON.parse(line.replace(/^\uFEFF/, '')) as unknown };
    } catch (error) {
      yield { row, malformed: `not JSON: ${(error as Error).message}` };
    }
  }
}

async function* ofList(file: string): AsyncGenerator<Row> {
  // A list's values come one by one; none is kept.
  const parser = new JSONParser({ paths: ['$.*'], keepStack: false });
  let ready: unknown[] = [];
  let failure: string | undefined;
  parser.onValue = ({ value }) => void ready.push(value);
  parser.onError = ({ message }) => void (failure ??= message);
  let row = 0;
  let line = 1;
  for await (const chunk of createReadStream(file, 'utf8')) {
    for (const piece of (chunk as string).replace('\uFEFF', '').split(/(?<=\n)/)) {
      parser.write(piece);
      if (failure !== undefined) break;
      if (piece.endsWith('\n')) line++;
    }
    for (const value of ready) yield { row: ++row, value };
    ready = [];
    if (failure !== undefined) break;
  }
  failure ??= parser.isEnded ? undefined : 'it ends early';
  if (failure === undefined) return;
  throw new CliError(`${file}, line ${line}, after ${row} rows, is not JSON: ${failure}; download or write it again`);
}
