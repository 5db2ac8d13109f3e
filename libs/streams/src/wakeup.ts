/** Lets waiting loops sleep until there is something to do. */
export class Wakeup {
  readonly #waiters = new Set<() => void>();

  /** Wakes whoever waits. */
  notify(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  /** Resolves after `ms`, or sooner when notified. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiters.add(wake);
    });
  }
}
