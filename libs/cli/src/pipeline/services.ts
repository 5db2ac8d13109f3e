import type { AnnotatorService, Client, EvaluatorService, ModelService, TrainerService } from '@mpa/contracts';
import type { Workers } from './workers.js';

/** Clients of the services that a run uses, in this process or elsewhere. */
export interface Services {
  /** Of the L-VLM, where the run has one: every process of the annotator, and one to ask by itself. */
  readonly annotator?: {
    readonly service: Client<typeof AnnotatorService>;
    readonly workers: Workers;
  };
  readonly parityModel: Client<typeof ModelService>;
  /** Every process of the parity service. */
  readonly parityWorkers: Workers;
  readonly trainer: Client<typeof TrainerService>;
  readonly evaluator: Client<typeof EvaluatorService>;
  /** Hangs up, and stops the services in this process: they finish or hand back what they hold. */
  close(): Promise<void>;
}
