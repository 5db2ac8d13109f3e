import { duration } from '@mpa/console';
import { RpcError, type ImageRecord } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import type { Services } from './services.js';

/** Images that are timed, after one to warm up. */
const TIMED = 3;

/**
 * How long a run may take, from timing the models on a few of its images: in words, or undefined without an
 * L-VLM, when none of the first images can be read, and when workers that come and go are not there yet. The training is left
 * out; how much will be selected cannot be known.
 */
export async function estimate(
  services: Pick<Services, 'annotator' | 'parityModel' | 'parityWorkers'>,
  streams: Streams,
  amounts: Amounts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const vary = services.annotator?.workers.vary || services.parityWorkers.vary;
  return timed(services, streams, amounts, signal).catch((error: unknown) => {
    if (vary && error instanceof RpcError && error.code === 'UNAVAILABLE') return undefined;
    throw error;
  });
}

interface Amounts {
  readonly images: number;
  readonly questions: number;
}

async function timed(
  { annotator, parityModel }: Pick<Services, 'annotator' | 'parityModel'>,
  streams: Streams,
  { images, questions }: Amounts,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!annotator) return undefined;
  const seconds = { annotate: 0, answer: 0, images: 0 };
  for (const [i, record] of (await firstImages(streams)).entries()) {
    const image = { source: { case: 'uri' as const, value: record.image!.uri } };
    const started = performance.now();
    const { annotation } = await annotator.service.annotate(
      { image, task: record.task, sampleId: record.sampleId },
      { signal },
    );
    const annotated = performance.now();
    if (!annotation?.question) continue;
    await parityModel.answer({ image, questions: [annotation.question] }, { signal });
    if (i === 0) continue;
    seconds.annotate += (annotated - started) / 1000;
    seconds.answer += (performance.now() - annotated) / 1000;
    seconds.images++;
  }
  if (seconds.images === 0) return undefined;
  const annotate = (seconds.annotate / seconds.images) * images;
  const answer = seconds.answer / seconds.images;
  const evaluate = questions * (2 * answer + seconds.annotate / seconds.images);
  return (
    `estimate: annotate ${images} images ${duration(annotate)}, find the gap ${duration(answer * images)}` +
    (questions > 0 ? `, evaluate ${questions} questions ${duration(evaluate)}` : '') +
    ' at most; training comes on top, with the share that is selected'
  );
}

async function firstImages(streams: Streams): Promise<ImageRecord[]> {
  const records: ImageRecord[] = [];
  for await (const record of streams.readAll(topics.images.name)) {
    const image = topics.images.decode(record);
    if (!image.unusable) records.push(image);
    if (records.length > TIMED) break;
  }
  return records;
}
