import type { Model } from '../components/estimate.js';

/** A number for each of the models; null for an L-VLM that the run does not have. */
export interface PerModel {
  readonly before: number;
  readonly after: number;
  readonly teacher: number | null;
}

/** A term of the loss over a training. */
export interface TermSummary {
  readonly first: number;
  readonly last: number;
  /** Over the first tenth: its coefficient times it, as a share of the answer's cross-entropy. */
  readonly share: number;
}

/** What the L-VLM's signals of one kind cost. */
export interface SignalCost {
  /** Annotations that have it. */
  readonly records: number;
  /** Of the L-VLM's time for all annotations, in [0, 1]. */
  readonly share: number;
  /** Mean size in a record. */
  readonly bytesPerRecord: number;
}

/** What was sent to an endpoint and came back. */
export interface EndpointUsage {
  /** HTTP requests, repetitions included. */
  readonly requests: number;
  readonly retries: number;
  /** Images that were looked at: one with every request that led to a reply. */
  readonly images: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Null without prices. */
  readonly cost: number | null;
}

/** What asking an L-VLM behind an endpoint came to, over all sessions of a run. */
export interface TeacherUsage {
  /** By what it was asked for: `annotate`, `self_check`, `n_best`, `rationale`, and `probe` for what it can do. */
  readonly stages: Readonly<Record<string, EndpointUsage>>;
  readonly total: EndpointUsage;
  /** Annotations that lack a signal that was asked for, by signal. */
  readonly missingSignals: Readonly<Record<string, number>>;
}

/** What became of the images. */
export interface Counts {
  readonly images: number;
  readonly annotated: number;
  /** Images by the reason why they were skipped. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly selected: number;
  /** Selected samples by the reason why: the gap, or what is rehearsed. */
  readonly selectedBy: Readonly<Record<string, number>>;
  /** Annotated images by the reason why they were rejected. */
  readonly rejected: Readonly<Record<string, number>>;
}

/** What a run came to: `summary.json`, and what `--json` prints. Accuracies in [0, 1], speeds in answers per second. */
export interface Summary extends Counts {
  /** The run folder. */
  readonly run: string;
  /** What the L-VLM's signals cost, by kind. */
  readonly signals: Readonly<Record<string, SignalCost>>;
  /** Null where the L-VLM is a checkpoint. */
  readonly teacher: TeacherUsage | null;
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
  readonly speed: { readonly [M in Model]: number | null };
  /** Wall time, of all sessions of the run. */
  readonly seconds: number;
}
