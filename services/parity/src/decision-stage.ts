import { AnnotationStatus } from '@mpa/contracts';
import type { Annotation, Decision } from '@mpa/contracts';
import { isPrepared, prepareImage, TeacherError } from '@mpa/inference';
import type { ImageFault, VisionModel } from '@mpa/inference';
import { EndOfWork, topics } from '@mpa/service-kit';
import type { BatchReport, Stage } from '@mpa/service-kit';
import type { ImageStore } from '@mpa/storage';
import type { Batch, StreamRecord } from '@mpa/streams';
import type { ProcessedImage } from '@mpa/vlm';
import { decideAnnotations, rejected } from './decide-annotations.js';
import type { ParityConfig } from './parity-config.js';

interface Entry {
  readonly record: StreamRecord;
  readonly message: Annotation;
  readonly image: ProcessedImage | ImageFault;
}
type Usable = Entry & { readonly image: ProcessedImage };

/** The stage between `annotations` and `decisions`: every annotated record becomes one decision; skipped ones end here. */
export function decisionStage(model: VisionModel, images: ImageStore, config: ParityConfig): Stage {
  async function process(batch: Batch): Promise<BatchReport> {
    const { signal } = batch;
    const annotated = topics.annotations
      .decodeBatch(batch)
      .filter(({ message }) => message.status === AnnotationStatus.ANNOTATED);
    const entries = await Promise.all(
      annotated.map(async (entry): Promise<Entry> => {
        const { sampleId, image } = entry.message;
        return { ...entry, image: await prepareImage(model, image?.uri ?? '', { sampleId, images, signal }) };
      }),
    );
    const usable = entries.filter((entry): entry is Usable => isPrepared(entry.image));
    const { result: decided, seconds } = await model.inTurn(() => decideAll(usable, batch));
    const outcomes = new Map<StreamRecord, string>();
    for (const { record, message, image } of entries) {
      const decision = isPrepared(image) ? decided.shift()! : rejected(message, image);
      batch.send(topics.decisions.name, topics.decisions.record(record.key, decision, { headers: record.headers }));
      outcomes.set(record, decision.cause!.reason);
    }
    return { outcomes, modelSeconds: seconds };
  }

  async function decideAll(usable: readonly Usable[], batch: Batch): Promise<Decision[]> {
    if (usable.length === 0) return [];
    batch.signal.throwIfAborted();
    try {
      const seen = await model.look(usable.map(({ image }) => image));
      return await decideAnnotations(
        model,
        usable.map(({ message: annotation }, i) => ({ annotation, image: seen[i]! })),
        config,
      );
    } catch (error) {
      if (error instanceof TeacherError) throw new EndOfWork(error);
      // A batch that fails comes again one record at a time, and one that fails alone is rejected.
      if (batch.records.length > 1) throw error;
      return [rejected(usable[0]!.message, { reason: 'model-failed', detail: (error as Error).message })];
    }
  }

  return { group: 'parity', input: topics.annotations.name, batch: config.batch, process };
}
