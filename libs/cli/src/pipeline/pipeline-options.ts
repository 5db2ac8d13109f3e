import type { Task } from '@mpa/answer-metrics';
import type { AlignConfig } from './align-config.js';
import type { Endpoints } from './endpoints.js';

/** Unlabeled images of one task, and labelled ones to measure with. */
export interface TaskSource {
  readonly task: Task;
  /** Where its unlabeled images are: see `ImageStore.list`; of an imported run the file that was imported. */
  readonly images: string;
  /** Folders and `s3://BUCKET/PREFIX` that a list may name images in, beside its own folder. */
  readonly imageRoots?: readonly string[];
  /** The benchmark's annotations in its own schema, and the folder of its images. */
  readonly eval?: { readonly annotations: string; readonly images: string };
}

/** What a run does: one student levelled on the images of one or more tasks. */
export interface PipelineOptions {
  /** The run folder: made, or gone on with. */
  readonly run: string;
  readonly sources: readonly TaskSource[];
  /** Checkpoint folders. An imported run may do without a teacher: its annotations are then taken as they are. */
  readonly teacher?: string;
  readonly student: string;
  /** Settings of the services in this process. */
  readonly config: AlignConfig;
  /** Services elsewhere; those left out run in this process. */
  readonly endpoints: Endpoints;
}
