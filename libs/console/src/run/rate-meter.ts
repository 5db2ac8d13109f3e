/** Milliseconds over which a rate is taken. */
const WINDOW = 60_000;

/** How fast something comes in, over the last minute. */
export class RateMeter {
  readonly #seconds = new Map<number, number>();

  /** @param at when it came in, in milliseconds since 1970 */
  add(at: number): void {
    const second = Math.floor(at / 1000);
    this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + 1);
  }

  /** Null when nothing came in, or all of it within one second. */
  perSecond(now: number): number | null {
    const oldest = Math.floor((now - WINDOW) / 1000);
    for (const second of this.#seconds.keys()) if (second < oldest) this.#seconds.delete(second);
    if (this.#seconds.size < 2) return null;
    const sum = [...this.#seconds.values()].reduce((a, b) => a + b, 0);
    return sum / (now / 1000 - Math.min(...this.#seconds.keys()));
  }
}
