import type {
  AnnotatorService,
  Client,
  EvaluatorService,
  ModelService,
  TrainerService,
  WorkerService,
} from '@mpa/contracts';

/** Clients of the services that a run uses, in this process or elsewhere. */
export interface Services {
  /** Of the L-VLM, where the run has one. */
  readonly annotator?: {
    readonly service: Client<typeof AnnotatorService>;
    readonly worker: Client<typeof WorkerService>;
  };
  readonly parityModel: Client<typeof ModelService>;
  readonly parityWorker: Client<typeof WorkerService>;
  readonly trainer: Client<typeof TrainerService>;
  readonly evaluator: Client<typeof EvaluatorService>;
  /** Hangs up, and stops the services in this process: they finish or hand back what they hold. */
  close(): Promise<void>;
}
