import { decisionsOf, showsGap, type Remeasured } from '@mpa/console';
import {
  AnnotationStatus,
  createClient,
  ParityService,
  RpcError,
  type AnnotationSchema,
  type Decision,
  type MessageInitShape,
} from '@mpa/contracts';
import { parity } from '@mpa/parity';
import { createLogger, newToken, startInProcess, type ImageAccess } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';

/** What {@link measureAgain} needs. */
export interface MeasureOptions {
  /** Checkpoint folder of the levelled S-VLM. */
  readonly checkpoint: string;
  readonly cacheDir: string;
  /** From where images are read; by default as the service does. */
  readonly images: ImageAccess | undefined;
  /** Most samples; the first by their ids. */
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, of: number) => void;
}

/** Has the levelled S-VLM decided about the samples that show the gap again, by a parity service in this process. */
export async function measureAgain(streams: Streams, options: MeasureOptions): Promise<Remeasured[]> {
  const { checkpoint, cacheDir, images, limit, signal, onProgress } = options;
  const gap: Decision[] = [];
  for await (const decision of decisionsOf(streams)) {
    if (showsGap(decision) && decision.image) gap.push(decision);
  }
  gap.sort((a, b) => (a.sampleId < b.sampleId ? -1 : 1));
  const measured: Remeasured[] = [];
  const token = newToken();
  const service = await startInProcess(
    parity,
    { model: { checkpoint, cacheDir }, ...(images && { images }) },
    {
      logger: createLogger('parity', 'silent'),
      token,
      openStreams: () => ({ streams, release: () => Promise.resolve() }),
    },
  );
  const client = createClient(ParityService, service.address, { token: () => token });
  try {
    const some = gap.slice(0, limit);
    for (const [i, before] of some.entries()) {
      const after = await client.decide({ annotation: annotationOf(before) }, { signal }).catch(unlessUnreadable);
      if (after?.decision) measured.push({ before, after: after.decision });
      onProgress(i + 1, some.length);
    }
    return measured;
  } finally {
    client.close();
    await service.stop();
  }
}

/** An image that went away since, or is damaged now, leaves its sample out. */
function unlessUnreadable(error: unknown): undefined {
  if (error instanceof RpcError && OF_THE_IMAGE.has(error.code)) return undefined;
  throw error;
}

const OF_THE_IMAGE: ReadonlySet<string> = new Set(['NOT_FOUND', 'INVALID_ARGUMENT', 'DATA_LOSS', 'PERMISSION_DENIED']);

/** Enough of a decision to have it decided again. */
function annotationOf(decision: Decision): MessageInitShape<typeof AnnotationSchema> {
  const { sampleId, runId, task, image, question, answer, selfCheck, signals } = decision;
  return {
    ...{ sampleId, runId, task, question, answer, selfCheck, status: AnnotationStatus.ANNOTATED },
    ...(image && { image }),
    ...(signals && { signals }),
  };
}
