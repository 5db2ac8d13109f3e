import { setTimeout as pause } from 'node:timers/promises';
import type { Client, WorkerService } from '@mpa/contracts';
import { CliError } from '../cli-error.js';

/** Milliseconds between looks at the streams. */
const LOOK_EVERY = 250;

/** Seconds that a worker's batches took, and how many of them its model did. */
export interface Spent {
  seconds: number;
  modelSeconds: number;
}

/**
 * Has a worker consume the run's log until `isDone`, which looks at what was written. Then the call is cancelled, and the
 * worker finishes or hands back what it holds. Throws RpcError when the worker fails.
 */
export async function workThrough(
  worker: Client<typeof WorkerService>,
  streams: string,
  isDone: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<Spent> {
  const spent: Spent = { seconds: 0, modelSeconds: 0 };
  if (await isDone()) return spent;
  const over = new AbortController();
  const watch = lookUntil(isDone, AbortSignal.any([signal, over.signal])).finally(() => over.abort());
  let failure: Error | undefined;
  try {
    for await (const batch of worker.consume({ streams }, { signal: AbortSignal.any([signal, over.signal]) })) {
      spent.seconds += batch.seconds;
      spent.modelSeconds += batch.modelSeconds;
    }
    if (!over.signal.aborted) failure = new CliError('a worker stopped early; run the same command to go on');
  } catch (error) {
    if (!over.signal.aborted) failure = error as Error;
  }
  over.abort();
  await watch;
  signal.throwIfAborted();
  if (failure) throw failure;
  return spent;
}

async function lookUntil(isDone: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await isDone())) {
    await pause(LOOK_EVERY, undefined, { signal }).catch(() => undefined);
  }
}
