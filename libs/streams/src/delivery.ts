const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Redelivery of one partition, the same for every transport. After an error that will not pass by
 * itself the records come one at a time, so that only the one at fault ends in the dead-letter topic;
 * after a retriable error they come again as they were, with growing pauses.
 */
export class Delivery {
  #failures = 0;
  #failuresAlone = 0;
  #aloneUntil = 0;

  constructor(private readonly attempts: number) {}

  /** How many records the batch at `offset` may have. */
  limit(offset: number, maxRecords: number): number {
    return offset < this.#aloneUntil ? 1 : maxRecords;
  }

  /**
   * The handler failed on the records up to `nextOffset`. Says what to do with them, and how many
   * milliseconds to wait before the next delivery.
   */
  failed(error: unknown, batch: { size: number; nextOffset: number }): { deadLetter: boolean; pauseMs: number } {
    this.#failures += 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    if (isRetriable(error)) return { deadLetter: false, pauseMs };
    this.#aloneUntil = Math.max(this.#aloneUntil, batch.nextOffset);
    if (batch.size > 1) return { deadLetter: false, pauseMs: 0 };
    this.#failuresAlone += 1;
    return { deadLetter: this.#failuresAlone >= this.attempts, pauseMs };
  }

  /** The position moved on. */
  committed(): void {
    this.#failures = 0;
    this.#failuresAlone = 0;
  }
}

/** Whether the same call may succeed later, by the error's own word. */
export function isRetriable(error: unknown): boolean {
  return error instanceof Error && 'retriable' in error && error.retriable === true;
}
