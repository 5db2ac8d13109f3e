import { selectionReasons } from '@mpa/alignment';
import type { Summary } from '@mpa/console';
import { AnnotationStatus } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { StreamRecord, Streams } from '@mpa/streams';
import type { Progress } from '../progress/progress.js';
import type { Listing } from './listing.js';
import type { Services } from './services.js';
import { StageTally } from './stage-tally.js';
import { takeWrittenAnnotations } from './take-written-annotations.js';
import { workThrough } from './work-through.js';

/** Counts of the two stages. */
export type GapCounts = Pick<Summary, 'annotated' | 'skipped' | 'selected' | 'selectedBy' | 'rejected'>;

/** Around the two stages. */
export interface GapContext {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Told now and then how many images are annotated. */
  readonly onAnnotated?: ((images: number) => Promise<void>) | undefined;
}

/**
 * Annotates all images and decides about all annotations, both at once, from where an earlier session left off. Without an
 * annotator the annotations are those that were imported. A stage that fails ends the other one, and its failure is thrown.
 *
 * @param place where the streams are, for the workers
 * @param listing of the records on the topic `images`; a failure of it ends both stages
 */
export async function annotateAndDecide(
  { annotator, parityWorkers }: Pick<Services, 'annotator' | 'parityWorkers'>,
  streams: Streams,
  place: string,
  listing: Listing,
  { progress, signal, onAnnotated }: GapContext,
): Promise<GapCounts> {
  const { images: input, annotations: between, decisions: output } = topics;
  const annotations = await new StageTally(
    streams,
    input.name,
    between.name,
    isAnnotation,
    annotationOutcome,
  ).refresh();
  const decisions = await new StageTally(streams, between.name, output.name, isSelection, decisionOutcome).refresh();
  const annotating = progress.stage('annotate', listing.count, annotations.done);
  const deciding = progress.stage('decide', annotations.passedOn, decisions.done);
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);

  const isAnnotated = async (): Promise<boolean> => {
    await annotations.refresh();
    annotating.resize(listing.count);
    annotating.update(annotations.done, `${annotations.passedOn} annotated`);
    deciding.resize(annotations.passedOn);
    await onAnnotated?.(annotations.passedOn);
    return listing.isComplete && annotations.done >= listing.count;
  };
  const isDecided = async (): Promise<boolean> => {
    await decisions.refresh();
    deciding.update(decisions.done, `${decisions.passedOn} selected`);
    return listing.isComplete && annotations.done >= listing.count && decisions.done >= annotations.passedOn;
  };
  const context = { signal: either, progress };
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
  return {
    annotated: annotations.passedOn,
    skipped: annotations.lost,
    selected: decisions.passedOn,
    selectedBy: decisions.passedBy,
    rejected: decisions.lost,
  };
}

const ANNOTATED = 'annotated';
const isAnnotation = (outcome: string): boolean => outcome === ANNOTATED;
const isSelection = (outcome: string): boolean => selectionReasons.some((reason) => reason === outcome);

function annotationOutcome(record: StreamRecord): string {
  const { status, skipped } = topics.annotations.decode(record);
  return status === AnnotationStatus.ANNOTATED ? ANNOTATED : (skipped?.reason ?? 'unknown');
}

function decisionOutcome(record: StreamRecord): string {
  return topics.decisions.decode(record).cause?.reason ?? 'unknown';
}
