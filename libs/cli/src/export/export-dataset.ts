import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError, writeFolderAtomically } from '@mpa/storage';
import type { Streams } from '@mpa/streams';
import { copyImage } from './copy-image.js';
import { datasetInfo, llavaRow, sharegptRow, swiftRow, type RowOf } from './dataset-rows.js';
import { exportedSamples, type ExportedSample } from './exported-sample.js';
import { openParquet } from './parquet-file.js';
import { openJsonLines, openJsonList, type RowFile } from './row-files.js';

/** How samples are written, by the name of `--format`: the file, and whether it can say that a sample was rejected. */
interface DatasetFormat {
  readonly file: string;
  readonly tellsDecisions: boolean;
  open(path: string): Promise<RowFile<ExportedSample>>;
  /** Further files, by name. */
  readonly beside?: Readonly<Record<string, object>>;
}

const rowsBy = async (file: Promise<RowFile<object>>, rowOf: RowOf): Promise<RowFile<ExportedSample>> => {
  const opened = await file;
  return { ...opened, append: (sample) => opened.append(rowOf(sample)) };
};
const list = (rowOf: RowOf) => (path: string) => rowsBy(openJsonList(path), rowOf);

/** The formats of a parity set. */
export const datasetFormats = {
  sharegpt: {
    file: 'samples.json',
    tellsDecisions: false,
    open: list(sharegptRow),
    beside: { 'dataset_info.json': datasetInfo('samples.json') },
  },
  llava: { file: 'samples.json', tellsDecisions: false, open: list(llavaRow) },
  qwen: { file: 'samples.json', tellsDecisions: false, open: list(llavaRow) },
  jsonl: { file: 'samples.jsonl', tellsDecisions: true, open: (path) => rowsBy(openJsonLines(path), swiftRow) },
  parquet: { file: 'samples.parquet', tellsDecisions: true, open: async (path) => openParquet(path) },
} as const satisfies Readonly<Record<string, DatasetFormat>>;

/** A name of {@link datasetFormats}. */
export type DatasetFormatName = keyof typeof datasetFormats;

/** How much of a run is exported, and how. */
export interface DatasetOptions {
  readonly format: DatasetFormatName;
  /** Rejected samples too. */
  readonly all: boolean;
  /** Puts the images beside the file, instead of naming where they lie. */
  readonly copyImages: boolean;
  readonly signal: AbortSignal;
  readonly onSample: (samples: number) => void;
}

/** What was written. */
export interface DatasetCounts {
  readonly selected: number;
  readonly rejected: number;
  /** Samples left out because their image could not be copied, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** Writes a run's samples into a new folder, one at a time; it appears once all is written. */
export async function exportDataset(streams: Streams, folder: string, options: DatasetOptions): Promise<DatasetCounts> {
  const format: DatasetFormat = datasetFormats[options.format];
  const counts = { selected: 0, rejected: 0, leftOut: {} as Record<string, number> };
  await writeFolderAtomically(folder, async (temporary) => {
    const file = await format.open(join(temporary, format.file));
    try {
      for await (const sample of exportedSamples(streams, options)) {
        const image = options.copyImages ? await copyUnlessBroken(sample.image, temporary) : sample.image;
        if (image instanceof StorageError) {
          counts.leftOut[image.code] = (counts.leftOut[image.code] ?? 0) + 1;
          continue;
        }
        await file.append({ ...sample, image });
        counts[sample.decision]++;
        options.onSample(counts.selected + counts.rejected);
      }
      await file.finish();
    } finally {
      await file.close();
    }
    for (const [name, content] of Object.entries(format.beside ?? {})) {
      await writeFile(join(temporary, name), `${JSON.stringify(content, null, 2)}\n`);
    }
  });
  return counts;
}

async function copyUnlessBroken(place: string, folder: string): Promise<string | StorageError> {
  try {
    return await copyImage(place, folder);
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
}
