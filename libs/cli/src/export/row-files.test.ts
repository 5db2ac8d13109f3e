import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExportedSample } from './exported-sample.js';
import { openParquet } from './parquet-file.js';
import { openJsonLines, openJsonList, type RowFile } from './row-files.js';

const work = mkdtempSync(join(tmpdir(), 'mpa-rows-'));
afterAll(() => rmSync(work, { recursive: true }));

async function written<Row>(file: RowFile<Row>, rows: readonly Row[]): Promise<void> {
  for (const row of rows) await file.append(row);
  await file.finish();
  await file.close();
}

/** More than two row groups. */
const MANY = 2100;
const sample = (i: number): ExportedSample => ({
  ...{ id: String(i), task: 'okvqa', image: '/a.png', decision: 'selected', reason: 'student_differs' },
  ...{ question: `What is ${i}?`, answer: 'äöü "x"\n', selfCheck: null, studentAnswer: '', weight: 1 },
  ...{ signals: undefined, studentSignals: undefined, discrepancies: undefined },
});

describe('files of rows', () => {
  it.each([0, 1, 3])('a JSON list and JSON lines of %i rows read as they were', async (count) => {
    const rows = Array.from({ length: count }, (_, i) => ({ i, text: 'a\n"b"' }));
    const [list, lines] = [join(work, `${count}.json`), join(work, `${count}.jsonl`)];
    await written(await openJsonList(list), rows);
    await written(await openJsonLines(lines), rows);
    expect(JSON.parse(readFileSync(list, 'utf8'))).toEqual(rows);
    const text = readFileSync(lines, 'utf8');
    expect(text).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  });

  it.each([0, MANY])('a Parquet table of %i rows has them in groups, in order', async (count) => {
    const path = join(work, `${count}.parquet`);
    const rows = Array.from({ length: count }, (_, i) => sample(i));
    await written(openParquet(path), rows);
    const file = await asyncBufferFromFile(path);
    expect((await parquetMetadataAsync(file)).row_groups).toHaveLength(Math.ceil(count / 1000));
    const read = await parquetReadObjects({ file });
    expect(read.map(({ question }) => question as string)).toEqual(rows.map(({ question }) => question));
    expect(read.every(({ answer, self_check: check }) => answer === 'äöü "x"\n' && check === null)).toBe(true);
  });
});
