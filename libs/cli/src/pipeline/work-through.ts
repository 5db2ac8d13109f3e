import { setTimeout as pause } from 'node:timers/promises';
import { RpcError } from '@mpa/contracts';
import { CliError } from '../cli-error.js';
import type { Progress } from '../progress/progress.js';
import type { Worker, Workers } from './workers.js';

/** Milliseconds between looks at the streams. */
const LOOK_EVERY = 250;

/** Milliseconds between looks for workers that have come. */
const LOOK_FOR_WORKERS_EVERY = 2_000;

/**
 * Has the workers consume the run's streams until `isDone`, which looks at what was written. Then the calls are cancelled, and the
 * workers finish or hand back what they hold. A worker that fails leaves its work to the others, and is noted; throws what the
 * last one failed with. Where workers vary, one that comes is called too, one that is gone is called again should it come
 * back, and with none the work waits.
 *
 * @param place where the streams are
 */
export async function workThrough(
  workers: Workers,
  place: string,
  isDone: () => Promise<boolean>,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: Pick<Progress, 'note'> },
): Promise<void> {
  if (await isDone()) return;
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const watch = lookUntil(isDone, ending).finally(() => over.abort());
  watch.catch(() => undefined);
  const failure = await keepAtWork(workers, place, { ending, progress });
  over.abort();
  await watch;
  signal.throwIfAborted();
  if (failure && !(await isDone())) throw failure;
}

interface Calling {
  readonly ending: AbortSignal;
  readonly progress: Pick<Progress, 'note'>;
}

/** Calls every worker there is, until `ending` or until all have failed; returns what the last one failed with. */
async function keepAtWork(workers: Workers, place: string, { ending, progress }: Calling): Promise<Error | undefined> {
  const atWork = new Map<Worker, Promise<void>>();
  const noted = new Set<Worker>();
  const failed = new Map<Worker, Error>();
  const call = async (worker: Worker): Promise<void> => {
    const ended = await consume(worker, place, ending);
    atWork.delete(worker);
    if (!ended) return;
    if (!workers.vary || !isGone(ended)) failed.set(worker, ended);
    const others = `${atWork.size} go on`;
    if ((workers.vary || atWork.size > 0) && !noted.has(worker))
      progress.note(`the worker at ${worker.address} is gone (${ended.message}); ${others}`);
    noted.add(worker);
  };
  for (let looks = 1; !ending.aborted; looks++) {
    const found = await workers.look();
    if (looks === 1 && found.length === 0) progress.note(`no worker at ${workers.addresses.join(', ')} yet: waiting`);
    for (const worker of found) if (!atWork.has(worker) && !failed.has(worker)) atWork.set(worker, call(worker));
    if (atWork.size === 0 && failed.size > 0) break;
    if (workers.vary) await pause(LOOK_FOR_WORKERS_EVERY, undefined, { signal: ending }).catch(() => undefined);
    else await Promise.all(atWork.values());
  }
  await Promise.all(atWork.values());
  return [...failed.values()].at(-1);
}

/** Whether a worker is only stopped or not reached: another one, or itself later, may go on. */
function isGone(error: Error): boolean {
  return error instanceof RpcError && error.code === 'UNAVAILABLE';
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
