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
  readonly annotator: Client<typeof AnnotatorService>;
  readonly annotatorWorker: Client<typeof WorkerService>;
  readonly parityModel: Client<typeof ModelService>;
  readonly parityWorker: Client<typeof WorkerService>;
  readonly trainer: Client<typeof TrainerService>;
  readonly evaluator: Client<typeof EvaluatorService>;
  /** Hangs up, and stops the services in this process: they finish or hand back what they hold. */
  close(): Promise<void>;
}
