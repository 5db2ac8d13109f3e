import { deadLetterTopic, IdTable, StreamsError, type StreamRecord, type Streams } from '@mpa/streams';
import { TopicTail } from './topic-tail.js';

/** Reason of a record that a service could not process at all. */
const FAILED = 'processing-failed';
/** Reasons of losses that are told apart, since the table's numbers are few; the rest are one. */
const MOST_REASONS = 200;
const OTHER = 'other-reasons';
/** Number of an input in the table that has not come out yet; those from it on are outcomes. */
const PENDING = 1;

/** What a tally has to know of its stage. */
export interface CountedStage {
  /** Topic that the stage reads; what it cannot process is in the dead letters of it. */
  readonly input: string;
  /** Topic that it writes. */
  readonly output: string;
  /** The name to count a record under. Throws StreamsError `undecodable` for one that is none of the topic. */
  readonly outcome: (record: StreamRecord) => string;
  /** Whether an outcome is not a loss. */
  readonly isPassed: (outcome: string) => boolean;
  /** Told of every input that went on to the next stage. */
  readonly onPassed?: (id: string) => void;
}

/**
 * Counts what a stage made of its inputs, by their ids: whatever is written or delivered twice counts once, as what it was
 * first, and what belongs to no input (others write into topics too) does not count. An input that came out, on whatever way, did not fail;
 * where there is a next stage, which takes up whatever passes, one that passed is not lost.
 */
export class StageTally {
  readonly #records: TopicTail;
  readonly #failed: TopicTail;
  /** By id, where an input is: PENDING, or PENDING + 1 + the index of its outcome. */
  readonly #inputs = new IdTable();
  readonly #outcomes = [FAILED];
  readonly #counts = [0];
  /** Outcomes of what is not known as an input: it was read before its input was. */
  readonly #early = new Map<string, string>();

  constructor(
    streams: Streams,
    private readonly stage: CountedStage,
  ) {
    this.#records = new TopicTail(streams, stage.output);
    this.#failed = new TopicTail(streams, deadLetterTopic(stage.input));
  }

  /** Takes an input into account, once. */
  expect(id: string): void {
    if (this.#inputs.get(id) !== 0) return;
    this.#inputs.set(id, PENDING);
    const outcome = this.#early.get(id);
    if (outcome === undefined) return;
    this.#early.delete(id);
    this.#settle(id, outcome);
  }

  /** Reads what was written since the last call. */
  async refresh(): Promise<this> {
    for await (const record of this.#records.read()) {
      const outcome = this.#outcomeOf(record);
      if (outcome !== undefined) this.#cameOut(record.id, outcome);
    }
    for await (const { id } of this.#failed.read()) this.#cameOut(id, FAILED);
    return this;
  }

  /** Ids that the stage has to do with. */
  get inputs(): number {
    return this.#inputs.size;
  }

  /** Inputs that are accounted for. */
  get done(): number {
    return this.#counts.reduce((sum, n) => sum + n, 0);
  }

  /** Inputs that went on to the next stage. */
  get passedOn(): number {
    return Object.values(this.passedBy).reduce((sum, n) => sum + n, 0);
  }

  /** The same by outcome. */
  get passedBy(): Record<string, number> {
    return this.#by((outcome) => this.stage.isPassed(outcome));
  }

  /** The others, by reason. */
  get lost(): Record<string, number> {
    return this.#by((outcome) => !this.stage.isPassed(outcome));
  }

  #by(includes: (outcome: string) => boolean): Record<string, number> {
    const counted = this.#outcomes.map((outcome, i) => [outcome, this.#counts[i]!] as const);
    return Object.fromEntries(counted.filter(([outcome, n]) => n > 0 && includes(outcome)).sort());
  }

  #outcomeOf(record: StreamRecord): string | undefined {
    try {
      return this.stage.outcome(record);
    } catch (error) {
      if (error instanceof StreamsError && error.code === 'undecodable') return undefined;
      throw error;
    }
  }

  #cameOut(id: string, outcome: string): void {
    if (this.#inputs.get(id) !== 0) return this.#settle(id, outcome);
    const before = this.#early.get(id);
    if (before === undefined || this.#replaces(outcome, before)) this.#early.set(id, outcome);
  }

  /** Whether a later outcome of an input counts in the place of an earlier one. */
  #replaces(outcome: string, before: string): boolean {
    const { onPassed, isPassed } = this.stage;
    if (before === FAILED) return outcome !== FAILED;
    return onPassed !== undefined && !isPassed(before) && isPassed(outcome);
  }

  #settle(id: string, outcome: string): void {
    const was = this.#inputs.get(id) - PENDING - 1;
    if (was >= 0 && !this.#replaces(outcome, this.#outcomes[was]!)) return;
    if (was >= 0) this.#counts[was]! -= 1;
    const index = this.#indexOf(outcome);
    this.#counts[index]! += 1;
    this.#inputs.set(id, PENDING + 1 + index);
    if (this.stage.isPassed(outcome)) this.stage.onPassed?.(id);
  }

  #indexOf(outcome: string): number {
    const known = this.#outcomes.indexOf(outcome);
    if (known >= 0) return known;
    const isOneTooMany = this.#outcomes.length >= MOST_REASONS && !this.stage.isPassed(outcome);
    if (isOneTooMany && outcome !== OTHER) return this.#indexOf(OTHER);
    this.#counts.push(0);
    return this.#outcomes.push(outcome) - 1;
  }
}
