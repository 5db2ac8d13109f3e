import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 100;

/**
 * Looks until there is something, and returns it. Rejects with what `ended` rejects or resolves with, if that is first: the run that
 * was to be watched is over.
 */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  ended: Promise<unknown>,
): Promise<T> {
  let isOver = false;
  void ended.catch(() => undefined).then(() => (isOver = true));
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (isOver) throw new RunOver();
    await pause(LOOK_EVERY_MS);
  }
}

/** The run ended before a fault could be injected, or before it was seen to go on. */
export class RunOver extends Error {
  override readonly name = 'RunOver';

  constructor() {
    super('the run ended first');
  }
}
