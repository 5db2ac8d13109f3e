import { selectionReasons } from '@mpa/alignment';
import type { Summary } from '@mpa/console';
import { AnnotationStatus } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { StreamRecord, Streams } from '@mpa/streams';
import type { Listing } from './listing.js';
import { SignalTally } from './signal-tally.js';
import { StageTally } from './stage-tally.js';
import { TopicTail } from './topic-tail.js';

/** Counts of the two stages that find the gap. */
export type GapCounts = Pick<Summary, 'images' | 'annotated' | 'skipped' | 'selected' | 'selectedBy' | 'rejected'>;

/**
 * What a run's records say of its images: which are annotated, and which of these decided about. Inputs are the ids on the topic `images`,
 * whoever wrote them; what passes the first stage is an input of the second.
 */
export class GapTally {
  readonly annotations: StageTally;
  readonly decisions: StageTally;
  readonly signals = new SignalTally();
  readonly #images: TopicTail;
  #areAllAnnotated = false;

  constructor(
    streams: Streams,
    private readonly listing: Pick<Listing, 'isComplete'>,
  ) {
    const { images, annotations, decisions } = topics;
    this.#images = new TopicTail(streams, images.name);
    this.decisions = new StageTally(streams, {
      ...{ input: annotations.name, output: decisions.name, outcome: decisionOutcome, isPassed: isSelection },
    });
    this.annotations = new StageTally(streams, {
      ...{ input: images.name, output: annotations.name, isPassed: isAnnotation },
      outcome: (record) => this.#annotationOutcome(record),
      onPassed: (id) => this.decisions.expect(id),
    });
  }

  /** Whether all images were annotated or skipped at the last look. */
  get areAllAnnotated(): boolean {
    return this.#areAllAnnotated;
  }

  /** Whether all of what was annotated was decided about at the last looks. */
  get areAllDecided(): boolean {
    return this.#areAllAnnotated && this.decisions.done === this.decisions.inputs;
  }

  /** Reads what is new of images and annotations. */
  async lookAtAnnotations(): Promise<void> {
    const { isComplete } = this.listing;
    for await (const { id } of this.#images.read()) this.annotations.expect(id);
    await this.annotations.refresh();
    this.#areAllAnnotated = isComplete && this.annotations.done === this.annotations.inputs;
  }

  /** Reads what is new of the decisions. */
  async lookAtDecisions(): Promise<void> {
    await this.decisions.refresh();
  }

  get counts(): GapCounts {
    const { annotations, decisions } = this;
    return {
      images: annotations.inputs,
      annotated: annotations.passedOn,
      skipped: annotations.lost,
      selected: decisions.passedOn,
      selectedBy: decisions.passedBy,
      rejected: decisions.lost,
    };
  }

  #annotationOutcome(record: StreamRecord): string {
    const annotation = topics.annotations.decode(record);
    this.signals.add(annotation);
    return annotation.status === AnnotationStatus.ANNOTATED ? ANNOTATED : (annotation.skipped?.reason ?? 'unknown');
  }
}

const ANNOTATED = 'annotated';
const isAnnotation = (outcome: string): boolean => outcome === ANNOTATED;
const isSelection = (outcome: string): boolean => selectionReasons.some((reason) => reason === outcome);

function decisionOutcome(record: StreamRecord): string {
  return topics.decisions.decode(record).cause?.reason ?? 'unknown';
}
