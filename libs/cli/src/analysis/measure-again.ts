import { createClient, ParityService, RpcError, type Decision } from '@mpa/contracts';
import { parity } from '@mpa/parity';
import { createLogger, startInProcess } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import { annotationOf, decisionsOf, measures, showsGap, type Measure } from './analyze-decisions.js';

/** A sample that shows the gap, and the same sample decided about with the levelled S-VLM. */
export interface Remeasured {
  readonly before: Decision;
  readonly after: Decision;
}

/** The samples that show the gap, before and after levelling. */
export interface Levelling {
  readonly samples: number;
  /** How many the levelled S-VLM now answers as the L-VLM does. */
  readonly nowRight: number;
  /** Mean discrepancies. */
  readonly means: Partial<Readonly<Record<Measure, { readonly before: number; readonly after: number }>>>;
}

/** What {@link measureAgain} needs. */
export interface MeasureOptions {
  /** Checkpoint folder of the levelled S-VLM. */
  readonly checkpoint: string;
  readonly cacheDir: string;
  /** Most samples; the first by their ids. */
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, of: number) => void;
}

/** Has the levelled S-VLM decided about the samples that show the gap again, by a parity service in this process. */
export async function measureAgain(streams: Streams, options: MeasureOptions): Promise<Remeasured[]> {
  const { checkpoint, cacheDir, limit, signal, onProgress } = options;
  const gap: Decision[] = [];
  for await (const decision of decisionsOf(streams)) {
    if (showsGap(decision) && decision.image) gap.push(decision);
  }
  gap.sort((a, b) => (a.sampleId < b.sampleId ? -1 : 1));
  const measured: Remeasured[] = [];
  const service = await startInProcess(
    parity,
    { model: { checkpoint, cacheDir } },
    {
      logger: createLogger('parity', 'silent'),
      openStreams: () => ({ streams, release: () => Promise.resolve() }),
    },
  );
  const client = createClient(ParityService, service.address);
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
  if (error instanceof RpcError && (error.code === 'NOT_FOUND' || error.code === 'INVALID_ARGUMENT')) return undefined;
  throw error;
}

/** Sums up samples that were measured twice. */
export function levellingOf(measured: readonly Remeasured[]): Levelling {
  const means = measures.flatMap((measure) => {
    const pairs = measured.flatMap(({ before, after }) => {
      const [old, now] = [before.discrepancies?.[measure], after.discrepancies?.[measure]];
      return old === undefined || now === undefined ? [] : [{ before: old, after: now }];
    });
    if (pairs.length === 0) return [];
    const mean = (side: 'before' | 'after'): number => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
    return [[measure, { before: mean('before'), after: mean('after') }] as const];
  });
  const nowRight = measured.filter(({ after }) => !showsGap(after)).length;
  return { samples: measured.length, nowRight, means: Object.fromEntries(means) };
}
