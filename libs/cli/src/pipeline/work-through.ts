import { setTimeout as pause } from 'node:timers/promises';
import { CliError } from '../cli-error.js';
import type { Progress } from '../progress/progress.js';
import type { Worker } from './services.js';

/** Milliseconds between looks at the streams. */
const LOOK_EVERY = 250;

/**
 * Has the workers consume the run's streams until `isDone`, which looks at what was written. Then the calls are cancelled, and the
 * workers finish or hand back what they hold. A worker that fails leaves its work to the others, and is noted; throws what the
 * last one failed with.
 *
 * @param place where the streams are
 */
export async function workThrough(
  workers: readonly Worker[],
  place: string,
  isDone: () => Promise<boolean>,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: Pick<Progress, 'note'> },
): Promise<void> {
  if (await isDone()) return;
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const watch = lookUntil(isDone, ending).finally(() => over.abort());
  let atWork = workers.length;
  let failure: Error | undefined;
  const consumeAll = async (worker: Worker): Promise<void> => {
    const failed = await consume(worker, place, ending);
    atWork -= 1;
    if (!failed) return;
    failure = failed;
    if (atWork === 0) over.abort();
    else progress.note(`the worker at ${worker.address} is gone (${failed.message}); ${atWork} go on`);
  };
  await Promise.all(workers.map(consumeAll));
  over.abort();
  await watch;
  signal.throwIfAborted();
  if (failure && !(await isDone())) throw failure;
}

/** Has one worker consume until `ending`; returns what ended it before. */
async function consume({ client }: Worker, place: string, ending: AbortSignal): Promise<Error | undefined> {
  try {
    for await (const batch of client.consume({ streams: place }, { signal: ending })) void batch;
  } catch (error) {
    return ending.aborted ? undefined : (error as Error);
  }
  return ending.aborted ? undefined : new CliError('a worker stopped early; run the same command to go on');
}

async function lookUntil(isDone: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await isDone())) {
    await pause(LOOK_EVERY, undefined, { signal }).catch(() => undefined);
  }
}
