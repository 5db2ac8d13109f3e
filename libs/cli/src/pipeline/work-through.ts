import { setTimeout as pause } from 'node:timers/promises';
import { CliError } from '../cli-error.js';
import { outlasting, Patience, type Surroundings } from './outlast.js';
import type { Worker } from './services.js';

/** Milliseconds between looks at the streams. */
const LOOK_EVERY = 250;

/**
 * Has the workers consume the run's streams until `isDone`, which looks at what was written. Then the calls are cancelled, and the
 * workers finish or hand back what they hold. A worker that is lost leaves its work to the others and is asked again, for as long
 * as any of them is at work; one that fails for good is noted. Throws what the last one failed with.
 *
 * @param place where the streams are
 */
export async function workThrough(
  workers: readonly Worker[],
  place: string,
  isDone: () => Promise<boolean>,
  { signal, progress, patience = new Patience() }: Surroundings,
): Promise<void> {
  if (await isDone()) return;
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const watch = lookUntil(isDone, ending).finally(() => over.abort());
  let atWork = workers.length;
  let failure: Error | undefined;
  const consumeAll = async (worker: Worker): Promise<void> => {
    const attempt = outlasting(`the worker at ${worker.address}`, { signal: ending, progress, patience });
    const failed = await attempt((heard) => consume(worker, place, ending, heard)).catch((error: Error) => error);
    atWork -= 1;
    if (!failed || ending.aborted) return;
    failure = failed;
    if (atWork === 0) over.abort();
    else progress.note(`the worker at ${worker.address} has failed (${failed.message}); ${atWork} go on`);
  };
  await Promise.all(workers.map(consumeAll));
  over.abort();
  await watch;
  signal.throwIfAborted();
  if (failure && !(await isDone())) throw failure;
}

/** Has one worker consume until `ending`; throws what ended it before. */
async function consume({ client }: Worker, place: string, ending: AbortSignal, heard: () => void): Promise<void> {
  try {
    for await (const batch of client.consume({ streams: place }, { signal: ending })) {
      void batch;
      heard();
    }
  } catch (error) {
    if (!ending.aborted) throw error;
  }
  if (!ending.aborted) throw new CliError('a worker stopped early; run the same command to go on');
}

async function lookUntil(isDone: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await isDone())) {
    await pause(LOOK_EVERY, undefined, { signal }).catch(() => undefined);
  }
}
