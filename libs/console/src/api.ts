/** What the server answers, as JSON: the contract between it and the pages. */
import type { Analysis } from './analysis/analysis.js';
import type { Levelling } from './analysis/levelling.js';
import type { Measure } from './analysis/measures.js';
import type { Speed } from './components/accuracy-table.js';
import type { Attention } from './components/attention-map.js';
import type { TaskAccuracy } from './components/estimate.js';
import type { Counts } from './run/summary.js';
import type { Line } from './run/training-curve.js';

/** `running`: a living process works in it. `stopped`: none does, and it is not finished. */
export type RunStatus = 'running' | 'stopped' | 'finished';

/** A run of the list. */
export interface ListedRun {
  readonly name: string;
  readonly status: RunStatus | 'unreadable';
  /** Why it is unreadable. */
  readonly problem?: string;
  readonly tasks: readonly string[];
  /** When something of it was last written, in milliseconds since 1970. */
  readonly changed: number;
  /** Once it is finished. */
  readonly summary?: { readonly images: number; readonly selected: number; readonly before: number | null; readonly after: number | null }; // prettier-ignore
}

/** `/api/runs` */
export interface RunList {
  /** The folder that is looked at. */
  readonly folder: string;
  /** Last changed first. */
  readonly runs: readonly ListedRun[];
}

/** How far a part of a run is. */
export interface Stage {
  readonly name: string;
  readonly done: number;
  /** Null while it is not known. */
  readonly of: number | null;
  /** Over the last minute; null when nothing came in. */
  readonly perSecond: number | null;
  readonly secondsLeft: number | null;
}

/** `/api/runs/RUN`, and each event of `/api/runs/RUN/events`: all that is known of a run, samples apart. */
export interface RunView {
  readonly name: string;
  readonly status: RunStatus;
  readonly tasks: readonly string[];
  /** `config.json`. */
  readonly config: unknown;
  readonly stages: readonly Stage[];
  readonly counts: Counts;
  readonly curve: readonly Line[];
  readonly accuracy: Readonly<Record<string, TaskAccuracy>>;
  readonly speed?: Speed | undefined;
  readonly analysis: Analysis;
  readonly levelling?: Levelling | undefined;
  /** Wall time of all sessions. */
  readonly seconds: number;
  /** What of the run could not be read. */
  readonly problems: readonly string[];
}

/** What became of a sample: `undecided` is annotated, and waits for the S-VLM. */
export const outcomes = ['selected', 'rejected', 'skipped', 'undecided'] as const;

/** One of {@link outcomes}. */
export type Outcome = (typeof outcomes)[number];

/** What a list of samples can be sorted by: as they were annotated, by question, or by a discrepancy, largest first. */
export const orders = ['arrival', 'question', 'confidence', 'attention', 'reasoning'] as const;

/** One of {@link orders}. */
export type Order = (typeof orders)[number];

/** How far the two models are apart, in [0, 1]; what was not measured is absent. */
export type SampleDiscrepancies = Partial<Readonly<Record<Measure, number>>>;

/** A row of a list of samples. */
export interface SampleRow {
  readonly id: string;
  readonly task: string;
  readonly outcome: Outcome;
  /** Empty while undecided. */
  readonly reason: string;
  readonly question: string;
  readonly answer: string;
  readonly studentAnswer: string;
  readonly discrepancies: SampleDiscrepancies;
}

/** `/api/runs/RUN/samples?QUERY`: a part of the samples that fit, and how many there are by what they can be filtered by. */
export interface SamplePage {
  readonly total: number;
  readonly offset: number;
  readonly rows: readonly SampleRow[];
  readonly tasks: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
}

/** A step of the L-VLM's rationale, and how likely each model finds it. */
export interface RationaleStep {
  readonly text: string;
  readonly teacher: number;
  readonly student: number | null;
}

/** An answer among others, and how likely each model finds it. */
export interface RankedText {
  readonly text: string;
  readonly teacher: number;
  readonly student: number | null;
}

/** `/api/runs/RUN/samples/ID` */
export interface SampleDetail extends SampleRow {
  readonly imageName: string;
  readonly selfCheck: string;
  /** For people, such as the system's own message. */
  readonly detail: string;
  readonly attention: { readonly teacher?: Attention | undefined; readonly student?: Attention | undefined };
  /** Log-probabilities of the steps per character. */
  readonly rationale: readonly RationaleStep[];
  /** Index of the first step that the S-VLM finds much less likely. */
  readonly partsAt: number | null;
  /** Probabilities among each other. */
  readonly nBest: readonly RankedText[];
}
