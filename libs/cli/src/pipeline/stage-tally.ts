import { deadLetterTopic, type StreamRecord, type Streams } from '@mpa/streams';
import { TopicTally } from './topic-tally.js';

/** Reason of a record that a service could not process at all. */
const FAILED = 'processing-failed';

/** Counts what a stage made of its input: its records, and what was put aside because it could not be processed. */
export class StageTally {
  readonly #records: TopicTally;
  readonly #failed: TopicTally;

  /**
   * @param input topic that the stage reads
   * @param output topic that it writes
   * @param passed whether an outcome is not a loss
   */
  constructor(
    streams: Streams,
    input: string,
    output: string,
    private readonly passed: (outcome: string) => boolean,
    outcome: (record: StreamRecord) => string,
  ) {
    this.#records = new TopicTally(streams, output, outcome);
    this.#failed = new TopicTally(streams, deadLetterTopic(input), () => FAILED);
  }

  /** Reads what was written since the last call. */
  async refresh(): Promise<this> {
    await this.#records.refresh();
    await this.#failed.refresh();
    return this;
  }

  /** Inputs that are accounted for. */
  get done(): number {
    return this.#records.total + this.#failed.total;
  }

  /** Inputs that went on to the next stage. */
  get passedOn(): number {
    return Object.values(this.passedBy).reduce((sum, n) => sum + n, 0);
  }

  /** The same by outcome. */
  get passedBy(): Record<string, number> {
    return this.#records.byOutcome(this.passed);
  }

  /** The others, by reason. */
  get lost(): Record<string, number> {
    return { ...this.#records.byOutcome((outcome) => !this.passed(outcome)), ...this.#failed.byOutcome(() => true) };
  }
}
