import { basename } from 'node:path';
import { normalizeQuestion, type Task } from '@mpa/answer-metrics';
import { create, ImageRecordSchema, taskOf, type ImageRecord } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { runPaths, sampleId, writeFolderAtomically } from '@mpa/storage';
import { HEADER, openEmbeddedStreams, type Streams } from '@mpa/streams';
import { CliError } from '../cli-error.js';
import { writeRunState } from '../pipeline/run-state.js';
import { findImage } from './find-image.js';
import { rowReaders, type FoundAnnotation, type ImportFormat } from './formats.js';
import { readRows, type Row } from './read-rows.js';

/** What is imported, and where to. Paths are absolute. */
export interface ImportOptions {
  readonly file: string;
  readonly format: ImportFormat;
  readonly task: Task;
  /** Folder of the images that the file names. */
  readonly imageRoot: string;
  /** The run folder, which must not be there yet. */
  readonly run: string;
  readonly signal: AbortSignal;
  readonly onRow: (row: number) => void;
}

/** What an import came to: records = questions + all of `leftOut`. */
export interface ImportCounts {
  readonly rows: number;
  readonly records: number;
  readonly questions: number;
  /** Of the questions, those whose author was asked afresh, by the file. */
  readonly selfChecked: number;
  /** Records that no question came of, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** Records written at a time. */
const BATCH = 256;

/**
 * Makes a run that begins with annotations from elsewhere: a record on its topic `images` for each question of the file, and for
 * each row that gives none, with the reason. The folder appears once all is written. Throws CliError for a file that cannot be read or is
 * no JSON, and where none of it can be used.
 */
export async function importAnnotations(options: ImportOptions): Promise<ImportCounts> {
  const { run, task, file } = options;
  let counts: ImportCounts | undefined;
  await writeFolderAtomically(run, async (temporary) => {
    const paths = runPaths(temporary);
    const streams = openEmbeddedStreams(paths.streams);
    try {
      counts = await importInto(streams, options);
    } finally {
      await streams.close();
    }
    await writeRunState(paths, { runId: basename(run), images: counts.records, imported: { task, file }, seconds: 0 });
  });
  return counts!;
}

async function importInto(streams: Streams, options: ImportOptions): Promise<ImportCounts> {
  const { file, run, signal, onRow } = options;
  const tally = { rows: 0, records: 0, questions: 0, selfChecked: 0, leftOut: {} as Record<string, number> };
  const maker = new RecordMaker(options);
  const headers = { [HEADER.runId]: basename(run) };
  let batch: ImageRecord[] = [];
  let first: ImageRecord['unusable'];
  const flush = async (): Promise<void> => {
    const records = batch.map((record) => topics.images.record(record.sampleId, record, { headers }));
    await streams.producer.send(topics.images.name, records);
    batch = [];
  };
  for await (const row of readRows(file)) {
    signal.throwIfAborted();
    tally.rows++;
    for (const record of await maker.recordsOf(row)) {
      const { unusable, written } = record;
      tally.records++;
      if (unusable) tally.leftOut[unusable.reason] = (tally.leftOut[unusable.reason] ?? 0) + 1;
      else tally.questions++;
      if (written?.selfCheck !== undefined) tally.selfChecked++;
      first ??= unusable;
      batch.push(record);
    }
    if (batch.length >= BATCH) await flush();
    onRow(tally.rows);
  }
  await flush();
  if (tally.questions > 0) return tally;
  const why = first ? `, the first for ${first.reason}: ${first.detail}` : '';
  throw new CliError(`${file}: none of its ${tally.rows} rows can be used${why}`);
}

type Fault = { readonly reason: string; readonly detail: string };

/** Makes the records of a file's rows. Remembers which questions were asked about which image: 32 characters each. */
class RecordMaker {
  readonly #asked = new Set<string>();

  constructor(private readonly options: ImportOptions) {}

  /** One record for each question of the row, or one that says why it has none. */
  async recordsOf(row: Row): Promise<ImageRecord[]> {
    if ('malformed' in row) return [this.#unusable(row, 0, { reason: 'malformed-row', detail: row.malformed })];
    const found = rowReaders[this.options.format](row.value);
    if (!found) {
      const detail = `no row of the format ${this.options.format}`;
      return [this.#unusable(row, 0, { reason: 'malformed-row', detail })];
    }
    const records: ImageRecord[] = [];
    for (const [turn, annotation] of found.entries()) records.push(await this.#recordOf(row, turn, annotation));
    return records;
  }

  async #recordOf(row: Row, turn: number, annotation: FoundAnnotation): Promise<ImageRecord> {
    const { question, answer, selfCheck, images } = annotation;
    const [name = ''] = images;
    const left = (reason: string, detail: string): ImageRecord => this.#unusable(row, turn, { reason, detail }, name);
    if (images.length === 0) return left('no-image', 'the row names no image');
    if (images.length > 1) return left('several-images', `the row names ${images.length} images`);
    const normalized = normalizeQuestion(question);
    if (normalized === '') return left('empty-question', 'the question has neither letters nor digits');
    if (answer.trim() === '') return left('empty-answer', 'there is no answer');
    const image = await findImage(this.options.imageRoot, name);
    if (!image) return left('not-found', `there is no ${name} under ${this.options.imageRoot}`);
    if (image.kind === 'skipped') return left(image.reason, image.detail);
    const key = sampleId(`${image.path}\n${normalized}`);
    if (this.#asked.has(key)) return left('duplicate', 'the same was asked about this image before');
    this.#asked.add(key);
    return create(ImageRecordSchema, {
      ...this.#common(row, turn),
      image: { uri: image.uri, path: image.path },
      written: {
        question,
        answer: answer.trim(),
        promptId: `import/${this.options.format}`,
        ...(selfCheck !== undefined && { selfCheck }),
      },
    });
  }

  #unusable(row: Row, turn: number, { reason, detail }: Fault, path = ''): ImageRecord {
    return create(ImageRecordSchema, {
      ...this.#common(row, turn),
      image: { path },
      unusable: { reason, detail: `row ${row.row}: ${detail}` },
    });
  }

  /** An image may have several questions, so it is the place in the file that names a sample. */
  #common({ row }: Row, turn: number): Pick<ImageRecord, 'sampleId' | 'runId' | 'task'> {
    const { run, task } = this.options;
    return { sampleId: sampleId(`${task}/row ${row}.${turn}`), runId: basename(run), task: taskOf(task) };
  }
}
