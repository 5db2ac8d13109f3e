/** A mean over samples with its 95 % bootstrap interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Accuracy on a task, in [0, 1]; what has not been measured yet is null. */
export interface TaskAccuracy {
  /** Questions that the S-VLM has answered after levelling, or as many as any model has. */
  readonly n: number;
  readonly before: Estimate | null;
  readonly after: Estimate | null;
  readonly teacher: Estimate | null;
  /** After minus before, question by question. */
  readonly change: Estimate | null;
}

/** The three models that are compared, in the order in which they are shown. */
export const models = ['before', 'after', 'teacher'] as const;

/** One of {@link models}. */
export type Model = (typeof models)[number];

/** How a model is called on a page. */
export const modelNames: Readonly<Record<Model, string>> = {
  before: 'S-VLM before',
  after: 'S-VLM after',
  teacher: 'L-VLM',
};
