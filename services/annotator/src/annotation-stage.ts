import { AnnotationSchema, AnnotationStatus, create, taskName } from '@mpa/contracts';
import type { Annotation, ImageRecord } from '@mpa/contracts';
import { imageFault, isPrepared } from '@mpa/inference';
import type { ImageFault, VisionModel } from '@mpa/inference';
import { topics } from '@mpa/service-kit';
import type { BatchReport, Stage } from '@mpa/service-kit';
import type { ImageStore } from '@mpa/storage';
import type { Batch, StreamRecord, Streams } from '@mpa/streams';
import { decodeImage, type ProcessedImage } from '@mpa/vlm';
import { annotate } from './annotate.js';
import type { Annotated } from './annotate.js';
import type { AnnotatorConfig } from './annotator-config.js';
import { Duplicates } from './duplicates.js';
import { QuestionCounts } from './question-counts.js';

interface Entry {
  readonly record: StreamRecord;
  readonly message: ImageRecord;
  readonly image: ProcessedImage | ImageFault;
  readonly fingerprint?: bigint | undefined;
  /** Id of the sample that stands for this one. */
  readonly duplicateOf?: string;
}
type Usable = Entry & { readonly image: ProcessedImage };

/** The stage between `images` and `annotations`: every image record becomes one annotation, skipped with a reason if need be. */
export async function annotationStage(
  model: VisionModel,
  images: ImageStore,
  streams: Streams,
  config: AnnotatorConfig,
): Promise<Stage> {
  const corpus = await corpusOf(streams, config);
  const duplicates = new Duplicates(streams, config.duplicates);

  async function process(batch: Batch): Promise<BatchReport> {
    const read = await Promise.all(
      topics.images.decodeBatch(batch).map(async (entry): Promise<Entry> => ({
        ...entry,
        ...(await readEntry(entry.message, batch.signal)),
      })),
    );
    await duplicates.refresh();
    const entries = read.map(withoutDuplicate);
    const usable = entries.filter((entry): entry is Usable => isPrepared(entry.image));
    const { result: annotated, seconds } = await model.inTurn(() => annotateAll(usable, batch));
    const outcomes: Record<string, number> = {};
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
      const outcome = annotation.skipped?.reason ?? 'annotated';
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    return { outcomes, modelSeconds: seconds };
  }

  async function readEntry(
    { unusable, image }: ImageRecord,
    signal: AbortSignal,
  ): Promise<Pick<Entry, 'image' | 'fingerprint'>> {
    if (unusable) return { image: unusable };
    try {
      const bytes = await images.read(image?.uri ?? '', { signal });
      const decoded = await decodeImage(bytes);
      return { image: model.prepare(decoded), fingerprint: duplicates.fingerprint(bytes, decoded) };
    } catch (error) {
      const fault = imageFault(error);
      if (!fault) throw error;
      return { image: fault };
    }
  }

  function withoutDuplicate(entry: Entry): Entry {
    const { fingerprint, message } = entry;
    if (fingerprint === undefined) return entry;
    const duplicateOf = duplicates.claim(message.task, message.sampleId, fingerprint);
    if (duplicateOf === undefined) return entry;
    const likeness = config.duplicates.match === 'exact' ? 'has the same bytes as' : 'looks like';
    return { ...entry, duplicateOf, image: { reason: 'duplicate', detail: `it ${likeness} sample ${duplicateOf}` } };
  }

  async function annotateAll(usable: readonly Usable[], batch: Batch): Promise<Annotated[]> {
    if (usable.length === 0) return [];
    batch.signal.throwIfAborted();
    const began = performance.now();
    try {
      const seen = await model.look(usable.map(({ image }) => image));
      const samples = usable.map(({ message }, i) => ({
        task: taskName(message.task),
        image: seen[i]!,
        written: message.written,
      }));
      return await annotate(model, samples, corpus, config, began);
    } catch (error) {
      // A batch that fails comes again one record at a time, and one that fails alone is skipped.
      if (batch.records.length > 1) throw error;
      return [skip({ reason: 'model-failed', detail: (error as Error).message })];
    }
  }

  return { group: 'annotator', input: topics.images.name, batch: config.batch, process };
}

function skip(skipped: ImageFault): Annotated {
  const { reason, detail } = skipped;
  const nothing = { question: '', answer: '', selfCheck: '', promptId: '', modelId: '' };
  return { ...nothing, status: AnnotationStatus.SKIPPED, skipped: { reason, detail } };
}

/** The questions of an earlier session, so that a run that was stopped keeps to its limits. */
async function corpusOf(streams: Streams, { diversity }: AnnotatorConfig): Promise<QuestionCounts> {
  const corpus = new QuestionCounts(diversity);
  for await (const record of streams.readAll(topics.annotations.name)) {
    const annotation: Annotation = topics.annotations.decode(record);
    if (annotation.status === AnnotationStatus.ANNOTATED) corpus.add(taskName(annotation.task), annotation.question);
  }
  return corpus;
}
