import { duration } from '@mpa/console';
import { RpcError, type ImageRecord } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import { outlasting, type Surroundings } from './outlast.js';
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
  surroundings: Surroundings,
): Promise<string | undefined> {
  const vary = services.annotator?.workers.vary || services.parityWorkers.vary;
  const patience = vary ? { patienceSeconds: 0 } : {};
  return fromFirstImages(services, streams, amounts, { ...surroundings, ...patience }).catch((error: unknown) => {
    if (vary && error instanceof RpcError && error.code === 'UNAVAILABLE') return undefined;
    throw error;
  });
}

interface Amounts {
  readonly images: number;
  readonly questions: number;
}

async function fromFirstImages(
  { annotator, parityModel }: Pick<Services, 'annotator' | 'parityModel'>,
  streams: Streams,
  { images, questions }: Amounts,
  surroundings: Surroundings,
): Promise<string | undefined> {
  if (!annotator) return undefined;
  const { signal } = surroundings;
  const toAnnotate = outlasting('the annotator', surroundings);
  const toAnswer = outlasting('the parity service', surroundings);
  const seconds = { annotate: 0, answer: 0, images: 0 };
  for (const [i, record] of (await firstImages(streams)).entries()) {
    const image = { source: { case: 'uri' as const, value: record.image!.uri } };
    const { task, sampleId } = record;
    const { annotation, took: annotated } = await toAnnotate(() =>
      timed(annotator.service.annotate({ image, task, sampleId }, { signal })),
    );
    if (!annotation?.question) continue;
    const questions = [annotation.question];
    const { took: answered } = await toAnswer(() => timed(parityModel.answer({ image, questions }, { signal })));
    if (i === 0) continue;
    seconds.annotate += annotated;
    seconds.answer += answered;
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

async function timed<T extends object>(call: Promise<T>): Promise<T & { readonly took: number }> {
  const started = performance.now();
  const result = await call;
  return { ...result, took: (performance.now() - started) / 1000 };
}

async function firstImages(streams: Streams): Promise<ImageRecord[]> {
  const records: ImageRecord[] = [];
  for await (const { message: image } of topics.images.read(streams)) {
    if (!image.unusable) records.push(image);
    if (records.length > TIMED) break;
  }
  return records;
}
