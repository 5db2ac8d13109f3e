import { CountsError } from '../cli-error.js';
import type { RunState } from './run-state.js';
import type { SignalCost } from './signal-costs.js';

/** A number for each of the three models. */
export interface PerModel {
  readonly before: number;
  readonly after: number;
  readonly teacher: number;
}

/** A term of the loss over a training. */
export interface TermSummary {
  readonly first: number;
  readonly last: number;
  /** Over the first tenth: its coefficient times it, as a share of the answer's cross-entropy. */
  readonly share: number;
}

/** What a run came to: the object that `--json` prints. Accuracies in [0, 1], speeds in answers per second. */
export interface Summary {
  /** The run folder. */
  readonly run: string;
  readonly images: number;
  readonly annotated: number;
  /** Images by the reason why they were skipped. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly selected: number;
  /** Selected samples by the reason why: the gap, or what is rehearsed. */
  readonly selectedBy: Readonly<Record<string, number>>;
  /** Annotated images by the reason why they were rejected. */
  readonly rejected: Readonly<Record<string, number>>;
  /** What the L-VLM's signals cost, by kind. */
  readonly signals: Readonly<Record<string, SignalCost>>;
  /** Mean losses over the first and the last tenth of the steps, nats per answer token; null when nothing was selected. */
  readonly train: {
    readonly steps: number;
    readonly firstLoss: number | null;
    readonly lastLoss: number | null;
    /** The loss's terms beside the answer's: as they are, over the same steps. */
    readonly terms: Readonly<Record<string, TermSummary>>;
  };
  /** Accuracy by task, over `n` labelled questions. */
  readonly eval: Readonly<Record<string, PerModel & { readonly n: number }>>;
  /** Null when there was nothing to evaluate. */
  readonly speed: { readonly [Model in keyof PerModel]: number | null };
  /** Wall time, of all sessions of the run. */
  readonly seconds: number;
}

/**
 * Checks that every image is accounted for. Throws CountsError with both sides of what does not add up.
 */
export function checkCounts(summary: Summary, training: RunState['training']): void {
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  const { images, annotated, skipped, selected, rejected } = summary;
  equal('images', images, 'annotated + skipped', annotated + sum(skipped));
  equal('annotated', annotated, 'selected + rejected', selected + sum(rejected));
  if (training) equal('selected', selected, 'trained on + unreadable', training.samples + training.unreadable);
}

function equal(left: string, a: number, right: string, b: number): void {
  if (a === b) return;
  throw new CountsError(
    `counts do not add up: ${left} is ${a}, but ${right} is ${b}; the run's streams hold the records`,
  );
}
