import type { Streams } from '@mpa/streams';
import type { Progress } from '../progress/progress.js';
import { GapTally } from './gap-tally.js';
import type { Listing } from './listing.js';
import type { Surroundings } from './outlast.js';
import type { Services } from './services.js';
import { takeWrittenAnnotations } from './take-written-annotations.js';
import { workThrough } from './work-through.js';

/** Around the two stages. */
export interface GapContext extends Surroundings {
  readonly progress: Progress;
  /** Told now and then how many images are annotated. */
  readonly onAnnotated?: ((images: number) => Promise<void>) | undefined;
}

/**
 * Annotates all images and decides about all annotations, both at once, from where an earlier session left off. Without an
 * annotator the annotations are those that were imported. A stage that fails ends the other one, and its failure is thrown.
 * Resolves to what was counted.
 *
 * @param place where the streams are, for the workers
 * @param listing of the records on the topic `images`; a failure of it ends both stages
 */
export async function annotateAndDecide(
  { annotator, parityWorkers }: Pick<Services, 'annotator' | 'parityWorkers'>,
  streams: Streams,
  place: string,
  listing: Listing,
  { progress, signal, patienceSeconds, onAnnotated }: GapContext,
): Promise<GapTally> {
  const tally = new GapTally(streams, listing);
  const { annotations, decisions } = tally;
  await tally.lookAtAnnotations();
  await tally.lookAtDecisions();
  const annotating = progress.stage('annotate', listing.count, annotations.done);
  const deciding = progress.stage('decide', annotations.passedOn, decisions.done);
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);

  const isAnnotated = async (): Promise<boolean> => {
    await tally.lookAtAnnotations();
    annotating.resize(Math.max(listing.count, annotations.inputs));
    annotating.update(annotations.done, `${annotations.passedOn} annotated`);
    deciding.resize(annotations.passedOn);
    await onAnnotated?.(annotations.passedOn);
    return tally.areAllAnnotated;
  };
  const isDecided = async (): Promise<boolean> => {
    await tally.lookAtDecisions();
    deciding.update(decisions.done, `${decisions.passedOn} selected`);
    return tally.areAllDecided;
  };
  const context = { signal: either, progress, patienceSeconds };
  const annotate = async (): Promise<unknown> => {
    if (annotator) return workThrough(annotator.workers, place, isAnnotated, context);
    const unchecked = await takeWrittenAnnotations(streams, either);
    if (unchecked > 0) progress.note(`${unchecked} annotations are taken unchecked: name a --teacher to check them`);
    return isAnnotated();
  };
  const stages = [
    annotate().then(() => annotating.end()),
    workThrough(parityWorkers, place, isDecided, context).then(() => deciding.end()),
  ];
  for (const stage of [...stages, listing.done]) stage.catch((error: unknown) => failure.abort(error));
  await Promise.allSettled(stages);
  either.throwIfAborted();
  return tally;
}
