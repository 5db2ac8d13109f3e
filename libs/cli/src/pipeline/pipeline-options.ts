import type { Task } from '@mpa/answer-metrics';
import type { KafkaCredentials } from '@mpa/streams';
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

/** How an L-VLM behind an endpoint is asked; its other settings are in the annotator's. */
export interface EndpointOptions {
  /** The server's name of the model. */
  readonly model: string;
  /** Environment variable that holds the key. */
  readonly keyVariable?: string;
  /** What is left out has no limit. */
  readonly budget: { readonly requests?: number; readonly tokens?: number; readonly cost?: number };
}

/** What a run does: one student levelled on the images of one or more tasks. */
export interface PipelineOptions {
  /** The run folder: made, or gone on with. */
  readonly run: string;
  readonly sources: readonly TaskSource[];
  /**
   * Checkpoint folder of the L-VLM, or the URL of the endpoint that it is behind. An imported run may do without: its annotations are
   * then taken as they are.
   */
  readonly teacher?: string;
  /** Set when it is behind an endpoint. */
  readonly endpoint?: EndpointOptions;
  /** Checkpoint folder. */
  readonly student: string;
  /** Settings of the services in this process. */
  readonly config: AlignConfig;
  /** Streams on Kafka; left out, the records are in the run folder. */
  readonly kafka?: {
    readonly brokers: readonly string[];
    readonly prefix: string;
    readonly credentials?: KafkaCredentials | undefined;
  };
  /** Services elsewhere; those left out run in this process. */
  readonly endpoints: Endpoints;
}
