import { setTimeout as pause } from 'node:timers/promises';
import { CliError } from '../cli-error.js';
import { mayPass, outlasting, Patience, type Surroundings } from './outlast.js';
import type { Worker, Workers } from './workers.js';

/** Milliseconds between looks at the streams. */
const LOOK_EVERY = 250;

/** Milliseconds between looks for workers that have come. */
const LOOK_FOR_WORKERS_EVERY = 2_000;

/**
 * Has the workers consume the run's streams until `isDone`, which looks at what was written. Then the calls are cancelled, and the
 * workers finish or hand back what they hold. A worker that is lost leaves its work to the others and is asked again, for as long
 * as any of them is at work; one that fails for good is noted. Where workers vary, one that comes is called too, one that is lost is called
 * again should it come back, and with none the work waits. Throws what the last one failed with.
 *
 * @param place where the streams are
 */
export async function workThrough(
  workers: Workers,
  place: string,
  isDone: () => Promise<boolean>,
  surroundings: Surroundings,
): Promise<void> {
  if (await isDone()) return;
  const { signal, patienceSeconds, patience = new Patience(patienceSeconds) } = surroundings;
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const watch = lookUntil(isDone, ending).finally(() => over.abort());
  watch.catch(() => undefined);
  const failure = await keepAtWork(workers, place, { ...surroundings, signal: ending, patience });
  over.abort();
  await watch;
  signal.throwIfAborted();
  if (failure && !(await isDone())) throw failure;
}

/** Calls every worker there is, until `signal` aborts or all have failed; returns what the last one failed with. */
async function keepAtWork(workers: Workers, place: string, around: Surroundings): Promise<Error | undefined> {
  const { signal, progress } = around;
  const atWork = new Map<Worker, Promise<void>>();
  const lost = new Set<Worker>();
  const failed = new Map<Worker, Error>();
  const call = async (worker: Worker): Promise<void> => {
    const work = (heard: () => void): Promise<void> => consume(worker, place, signal, heard);
    const name = `the worker at ${worker.address}`;
    const working = workers.vary ? work(() => undefined) : outlasting(name, around)(work);
    const ended = await working.then(
      () => undefined,
      (error: Error) => error,
    );
    atWork.delete(worker);
    if (!ended || signal.aborted) return;
    const others = `(${ended.message}); ${atWork.size} go on`;
    if (workers.vary && mayPass(ended)) {
      if (!lost.has(worker)) progress.note(`${name} is gone ${others}`);
      lost.add(worker);
      return;
    }
    failed.set(worker, ended);
    if (workers.vary || atWork.size > 0) progress.note(`${name} has failed ${others}`);
  };
  for (let looks = 1; !signal.aborted; looks++) {
    const found = await workers.look();
    if (looks === 1 && found.length === 0) progress.note(`no worker at ${workers.addresses.join(', ')} yet: waiting`);
    for (const worker of found) if (!atWork.has(worker) && !failed.has(worker)) atWork.set(worker, call(worker));
    if (atWork.size === 0 && failed.size > 0) break;
    if (workers.vary) await pause(LOOK_FOR_WORKERS_EVERY, undefined, { signal }).catch(() => undefined);
    else await Promise.all(atWork.values());
  }
  await Promise.all(atWork.values());
  return [...failed.values()].at(-1);
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
