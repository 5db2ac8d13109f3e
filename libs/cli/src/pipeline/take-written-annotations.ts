import { AnnotationSchema, AnnotationStatus, create, type Annotation, type ImageRecord } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { HEADER, type OutgoingRecord, type Streams } from '@mpa/streams';

/** Records written at a time. */
const BATCH = 256;

/**
 * Makes an annotation of every record on the topic `images` as it was imported, where there is no L-VLM to check it: unchecked, unless the
 * file told what its author answered when asked afresh. Doing it again adds nothing.
 *
 * @returns how many are unchecked
 */
export async function takeWrittenAnnotations(streams: Streams, signal: AbortSignal): Promise<number> {
  let unchecked = 0;
  let batch: OutgoingRecord[] = [];
  const flush = async (): Promise<void> => {
    await streams.producer.send(topics.annotations.name, batch);
    batch = [];
  };
  for await (const { message: image } of topics.images.read(streams, { signal })) {
    const annotation = annotationOf(image);
    if (annotation.unchecked) unchecked++;
    const headers = { [HEADER.runId]: image.runId };
    batch.push(topics.annotations.record(image.sampleId, annotation, { headers }));
    if (batch.length >= BATCH) await flush();
  }
  await flush();
  return unchecked;
}

function annotationOf({ sampleId, runId, task, image, unusable, written }: ImageRecord): Annotation {
  const common = { sampleId, runId, task, ...(image && { image }) };
  if (!written) {
    const skipped = unusable ?? { reason: 'unparsable-text', detail: 'nothing was written for it' };
    return create(AnnotationSchema, { ...common, status: AnnotationStatus.SKIPPED, skipped });
  }
  const { question, answer, selfCheck, promptId } = written;
  return create(AnnotationSchema, {
    ...common,
    status: AnnotationStatus.ANNOTATED,
    ...{ question, answer, promptId },
    selfCheck: selfCheck ?? '',
    unchecked: selfCheck === undefined,
  });
}
