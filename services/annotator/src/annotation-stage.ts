import { AnnotationSchema, AnnotationStatus, create, taskName } from '@mpa/contracts';
import type { ImageRecord } from '@mpa/contracts';
import { isPrepared, prepareImage, imageFault, TeacherError } from '@mpa/inference';
import type { ImageFault, Teacher } from '@mpa/inference';
import { EndOfWork, topics } from '@mpa/service-kit';
import type { BatchReport, Stage } from '@mpa/service-kit';
import type { ImageStore } from '@mpa/storage';
import type { Batch, StreamRecord, Streams } from '@mpa/streams';
import type { RgbImage } from '@mpa/vlm';
import { annotate } from './annotate.js';
import type { Annotated } from './annotate.js';
import type { AnnotatorConfig } from './annotator-config.js';
import { Duplicates } from './duplicates.js';
import { QuestionCounts } from './question-counts.js';

const GROUP = 'annotator';
/** Earlier annotations whose questions count. */
const COUNTED = 200_000;

interface Entry<Prepared> {
  readonly record: StreamRecord;
  readonly message: ImageRecord;
  readonly image: Prepared | ImageFault;
  readonly fingerprint?: bigint | undefined;
  /** Id of the sample that stands for this one. */
  readonly duplicateOf?: string;
}
type Usable<Prepared> = Entry<Prepared> & { readonly image: Prepared };

/** The stage between `images` and `annotations`: every image record becomes one annotation, skipped with a reason if need be. */
export async function annotationStage<Prepared extends object, Seen>(
  model: Teacher<Prepared, Seen>,
  images: ImageStore,
  streams: Streams,
  config: AnnotatorConfig,
): Promise<Stage> {
  const corpus = await corpusOf(streams, config);
  const duplicates = new Duplicates(streams, config.duplicates);

  async function process(batch: Batch): Promise<BatchReport> {
    const read = await Promise.all(
      topics.images.decodeBatch(batch).map(async (entry) => ({
        ...entry,
        ...(await readEntry(entry.message, batch.signal)),
      })),
    );
    await duplicates.refresh();
    const entries = read.map(withoutDuplicate);
    const usable = entries.filter((entry): entry is Usable<Prepared> => isPrepared(entry.image));
    const together = model.parallel > 1 ? usable.map((one) => [one]) : [usable];
    const { result, seconds } = await model.inTurn(() => settled(together.map((some) => annotateAll(some, batch))));
    const annotated = result.flat();
    const outcomes = new Map<StreamRecord, string>();
    for (const { record, message, image, fingerprint, duplicateOf } of entries) {
      const made = isPrepared(image) ? annotated.shift()! : skip(image);
      const { sampleId, runId, task, image: reference } = message;
      const annotation = create(AnnotationSchema, {
        ...made,
        sampleId,
        runId,
        task,
        ...(reference && { image: reference }),
        ...(fingerprint !== undefined && { fingerprint }),
        ...(duplicateOf !== undefined && { duplicateOf }),
      });
      batch.send(
        topics.annotations.name,
        topics.annotations.record(record.key, annotation, { headers: record.headers }),
      );
      outcomes.set(record, annotation.skipped?.reason ?? 'annotated');
    }
    return { outcomes, modelSeconds: seconds };
  }

  async function readEntry(
    { unusable, image, sampleId }: ImageRecord,
    signal: AbortSignal,
  ): Promise<Pick<Entry<Prepared>, 'image' | 'fingerprint'>> {
    if (unusable) return { image: unusable };
    let fingerprint: bigint | undefined;
    const onRead = (bytes: Uint8Array, decoded: RgbImage): void => {
      fingerprint = duplicates.fingerprint(bytes, decoded);
    };
    const prepared = await prepareImage(model, image?.uri ?? '', { sampleId, images, signal, onRead });
    return isPrepared(prepared) ? { image: prepared, fingerprint } : { image: prepared };
  }

  function withoutDuplicate(entry: Entry<Prepared>): Entry<Prepared> {
    const { fingerprint, message } = entry;
    if (fingerprint === undefined) return entry;
    const duplicateOf = duplicates.claim(message.task, message.sampleId, fingerprint);
    if (duplicateOf === undefined) return entry;
    const likeness = config.duplicates.match === 'exact' ? 'has the same bytes as' : 'looks like';
    return { ...entry, duplicateOf, image: { reason: 'duplicate', detail: `it ${likeness} sample ${duplicateOf}` } };
  }

  async function annotateAll(usable: readonly Usable<Prepared>[], { signal, records }: Batch): Promise<Annotated[]> {
    if (usable.length === 0) return [];
    signal.throwIfAborted();
    const began = performance.now();
    try {
      const seen = await model.look(usable.map(({ image }) => image));
      const samples = usable.map(({ message }, i) => ({
        task: taskName(message.task),
        image: seen[i]!,
        written: message.written,
      }));
      return await annotate(model, samples, corpus, config, { began, signal });
    } catch (error) {
      if (error instanceof TeacherError) throw new EndOfWork(error);
      signal.throwIfAborted();
      const fault = imageFault(error);
      if (fault && usable.length === 1) return [skip(fault)];
      // A batch that fails comes again one record at a time, and one that fails alone is skipped.
      if (records.length > 1) throw error;
      return [skip({ reason: 'model-failed', detail: (error as Error).message })];
    }
  }

  const concurrency = Math.ceil(model.parallel / config.batch) + 1;
  return { group: GROUP, input: topics.images.name, batch: config.batch, concurrency, process };
}

/** All results, once all work has ended, also where some failed: none goes on behind a batch that comes again. */
async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

function skip(skipped: ImageFault): Annotated {
  const { reason, detail } = skipped;
  const nothing = { question: '', answer: '', selfCheck: '', promptId: '', modelId: '' };
  return { ...nothing, status: AnnotationStatus.SKIPPED, skipped: { reason, detail } };
}

/**
 * The questions of an earlier session, so that a run that was stopped keeps to its limits. The latest will do: reading a large corpus
 * would hold up every worker that starts.
 */
async function corpusOf(streams: Streams, { diversity }: AnnotatorConfig): Promise<QuestionCounts> {
  const corpus = new QuestionCounts(diversity);
  const { name } = topics.annotations;
  const { partitions } = await streams.lag(GROUP, name);
  const latest = Math.ceil(COUNTED / partitions.length);
  const from = new Map(partitions.map(({ partition, end }) => [partition, Math.max(0, end - latest)]));
  for await (const { message } of topics.annotations.read(streams, { from })) {
    if (message.status === AnnotationStatus.ANNOTATED) corpus.add(taskName(message.task), message.question);
  }
  return corpus;
}
