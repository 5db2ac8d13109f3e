/** Answers that took so much longer than the quickest round did mean that requests wait for one another at the server. */
const SLOWER = 2;

/** What is left of the limit when answers became slower, and when the server pushed back. */
const AFTER_SLOWER = 0.75;
const AFTER_PUSH_BACK = 0.5;

/** The quickest round counts for this much more with every round: a server that is slower for good is not held against it for ever. */
const FORGET = 1.05;

/** How one request ended, for the limit. */
export type RequestEnd = { readonly kind: 'answered'; readonly seconds: number } | { readonly kind: 'busy' | 'failed' };

/**
 * How many requests may be out at once: additive increase, multiplicative decrease. A round is as many answers as the limit.
 * After a round that used the limit up, one more may be out; after one whose median answer took twice as long as in the quickest
 * round, a quarter less; when the server pushes back (429, 503), half, once for all requests that were out then.
 */
export class AdaptiveLimit {
  #limit: number;
  #out = 0;
  #round: number[] = [];
  #usedUp = false;
  #quickest = Infinity;
  #lowered = -Infinity;
  #heldUntil = -Infinity;
  readonly #waiting = new Set<() => void>();

  /** @param now seconds on a clock that never goes back */
  constructor(
    first: number,
    private readonly most: number,
    private readonly now: () => number,
  ) {
    this.#limit = Math.min(first, most);
  }

  /** Requests that may be out at once, now. */
  get limit(): number {
    return this.#limit;
  }

  /** Waits until one more request may go out; resolves to the function that is told how it ended. Throws the signal's reason. */
  async enter(signal: AbortSignal): Promise<(end: RequestEnd) => void> {
    while (this.#out >= this.#limit || this.now() < this.#heldUntil) await this.#change(signal);
    signal.throwIfAborted();
    this.#out += 1;
    this.#usedUp ||= this.#out >= this.#limit;
    const began = this.now();
    return (end) => {
      this.#out -= 1;
      if (end.kind === 'answered') this.#answered(end.seconds);
      if (end.kind === 'busy' && began > this.#lowered) this.#lower(AFTER_PUSH_BACK);
      this.#wake();
    };
  }

  /** Lets nothing out for some seconds. */
  hold(seconds: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.now() + seconds);
  }

  #answered(seconds: number): void {
    this.#round.push(seconds);
    if (this.#round.length < this.#limit) return;
    const median = this.#round.sort((a, b) => a - b)[this.#round.length >> 1]!;
    const wasUsedUp = this.#usedUp;
    this.#round = [];
    this.#usedUp = false;
    if (median > SLOWER * this.#quickest) this.#lower(AFTER_SLOWER);
    else if (wasUsedUp) this.#limit = Math.min(this.most, this.#limit + 1);
    this.#quickest = Math.min(this.#quickest * FORGET, median);
  }

  #lower(share: number): void {
    this.#limit = Math.max(1, Math.floor(this.#limit * share));
    this.#lowered = this.now();
    this.#round = [];
  }

  /** Resolves when a request came back, or the hold may be over. */
  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const held = this.#heldUntil - this.now();
    await new Promise<void>((resolve, reject) => {
      const timer = held > 0 ? setTimeout(() => wake(), held * 1000) : undefined;
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', abort);
      };
      const wake = (): void => {
        end();
        resolve();
      };
      const abort = (): void => {
        end();
        reject(signal.reason as Error);
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
