import { setTimeout as pause } from 'node:timers/promises';
import { RpcError } from '@mpa/contracts';
import { StreamsError } from '@mpa/streams';
import type { Progress } from '../progress/progress.js';

/** Milliseconds between two tries. */
const AGAIN_AFTER = 1_000;
/** Milliseconds after which a call of a service must have reached it, whether or not there was anything to hear: it would have failed before. */
const LASTING = 60_000;
/** How long a run has heard nothing of whoever does a piece of its work: one service, or several that share it. */
export class Patience {
  #heard = performance.now();

  constructor(private readonly seconds: number) {}

  /** There was a sign of life, now or at an earlier moment of `performance.now`. */
  renew(at = performance.now()): void {
    this.#heard = Math.max(this.#heard, at);
  }

  get isOver(): boolean {
    return performance.now() - this.#heard > this.seconds * 1000;
  }
}

/** Around what may have to be tried again. */
export interface Surroundings {
  readonly signal: AbortSignal;
  readonly progress: Pick<Progress, 'note'>;
  /** Seconds that are waited for who is gone: a machine may have to be found, and a model to be loaded. */
  readonly patienceSeconds: number;
  /** Shared by those that do the same work; default: one's own, of `patienceSeconds`. */
  readonly patience?: Patience;
}

/** Something that is done anew when it failed; it says so when it hears of whoever does it. */
export type Attempt = <T>(work: (heard: () => void) => Promise<T>) => Promise<T>;

/**
 * Does work of which a part is elsewhere, in a service or on a cluster, again and again while that part is gone: who runs it
 * will start it anew. Both losing and finding it are noted, once each. Rejects with what the work throws: at once when that will not
 * pass by itself or `signal` is aborted, else when nothing was heard for `patienceSeconds`.
 *
 * @param name of who is gone, for the notes
 * @param lasting milliseconds after which a call that failed must have reached who was called
 */
export function outlasting(name: string, surroundings: Surroundings, lasting = LASTING): Attempt {
  const { signal, progress, patienceSeconds, patience = new Patience(patienceSeconds) } = surroundings;
  let isGone = false;
  const heard = (): void => {
    patience.renew();
    if (isGone) progress.note(`${name} is back`);
    isGone = false;
  };
  return async (work) => {
    for (;;) {
      const began = performance.now();
      try {
        const result = await work(heard);
        heard();
        return result;
      } catch (error) {
        if (performance.now() - began > lasting) heard();
        // Until then nothing was amiss, however long nobody was asked.
        if (!isGone) patience.renew(began);
        if (signal.aborted || !mayPass(error) || patience.isOver) throw error;
        if (!isGone) progress.note(`${name} is gone (${(error as Error).message}); trying again until it is back`);
        isGone = true;
        await pause(AGAIN_AFTER, undefined, { signal });
      }
    }
  };
}

/** Whether a failure may pass by itself: nobody there, or at something else just now; a cluster or a disk that fails. */
export function mayPass(error: unknown): boolean {
  if (error instanceof StreamsError) return error.code === 'store';
  return error instanceof RpcError && (error.code === 'UNAVAILABLE' || error.code === 'ABORTED');
}
