import { mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StorageError } from './storage-error.js';
import { systemCode, toStorageError } from './system-error.js';

const TRIES = 5;
const LONGEST_PAUSE_MS = 40;
/** A holder writes its file anew so often; on another machine it counts as gone after so long without. */
const RENEW_MS = 30_000;
const GONE_MS = 5 * 60_000;

/** A process, told apart from any other that has its number later: MACHINE.PID.START. */
interface Holder {
  readonly machine: string;
  readonly pid: number;
  /** Clock ticks from boot to the process's start; '0' where the system does not say. */
  readonly start: string;
}

/**
 * Takes a folder's lock for this process, or throws StorageError `locked` naming who has it.
 *
 * Each contender puts a file named after itself into `folder` and then looks who else is there; it has
 * the lock if nobody alive is. Of two at once at least one sees the other, so never both have it; when
 * both see each other, both step back and try again. Files of processes that are gone are removed.
 * A process on another machine, or in another container, cannot be looked up: its file counts as alive until it has not been
 * renewed for five minutes, by the clock of the file system.
 *
 * @returns a function that gives the lock back
 */
export async function takeLock(folder: string): Promise<() => Promise<void>> {
  try {
    await mkdir(folder, { recursive: true });
    const self = await thisProcess();
    const own = join(folder, nameOf(self));
    for (let attempt = 1; ; attempt++) {
      await writeFile(own, sign(), { flag: 'wx' }).catch((cause: unknown) => {
        if (systemCode(cause) !== 'EEXIST') throw cause;
        throw new StorageError('locked', `${folder} is locked by this process already`, { cause });
      });
      const others = await otherHolders(folder, self);
      if (others.length === 0) return keep(own);
      await rm(own);
      if (attempt === TRIES) throw lockedBy(folder, others);
      await pause(Math.random() * LONGEST_PAUSE_MS);
    }
  } catch (error) {
    throw toStorageError('lock', folder, error);
  }
}

/** Renews the file of a lock until the lock is given back by what is returned. */
function keep(own: string): () => Promise<void> {
  let renewing = Promise.resolve();
  const timer = setInterval(() => {
    renewing = writeFile(own, sign(), { flag: 'r+' }).catch(() => undefined);
  }, RENEW_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await renewing;
    await rm(own, { force: true });
  };
}

/** What is in the file matters to nobody; writing it tells the file system's clock. */
function sign(): string {
  return `${new Date().toISOString()}\n`;
}

/** Whether a living process has the folder's lock, as far as can be seen from here; changes nothing. */
export async function isLocked(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []);
  const machine = await machineName();
  for (const holder of names.map(parseName)) {
    if (holder && (await holds(folder, holder, { machine, now: Date.now() }))) return true;
  }
  return false;
}

/** Whether the one whose file is in `folder` is alive, seen from `machine` at the time `now` (milliseconds). */
async function holds(
  folder: string,
  holder: Holder,
  { machine, now }: { readonly machine: string; readonly now: number },
): Promise<boolean> {
  if (holder.machine === machine) return isAlive(holder);
  const renewed = await stat(join(folder, nameOf(holder))).catch(() => undefined);
  return renewed !== undefined && now - renewed.mtimeMs < GONE_MS;
}

/** Those besides `self` that hold or want the lock; removes the dead. */
async function otherHolders(folder: string, self: Holder): Promise<Holder[]> {
  const others: Holder[] = [];
  // The own file was just written.
  const { mtimeMs: now } = await stat(join(folder, nameOf(self)));
  for (const name of await readdir(folder)) {
    const holder = parseName(name);
    if (!holder || name === nameOf(self)) continue;
    if (await holds(folder, holder, { machine: self.machine, now })) others.push(holder);
    else await rm(join(folder, name), { force: true });
  }
  return others;
}

function lockedBy(folder: string, others: readonly Holder[]): StorageError {
  const who = others.map(({ machine, pid }) => `process ${pid} on ${machine}`).join(', ');
  const files = others.map(nameOf).join(', ');
  return new StorageError(
    'locked',
    `${folder} is in use by ${who}: wait for it, stop it, or, if it is surely gone, delete ${files} there (on another machine it counts as gone after ${GONE_MS / 60_000} minutes)`,
  );
}

async function thisProcess(): Promise<Holder> {
  const start = (await startOf(process.pid)) ?? '0';
  return { machine: await machineName(), pid: process.pid, start };
}

/** Names the space in which process numbers mean something: host, boot and container. */
async function machineName(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const container = await readlink('/proc/self/ns/pid').catch(() => '');
  const parts = [hostname(), boot.slice(0, 8), container.replace(/\D/g, '')];
  return parts
    .filter((part) => part !== '')
    .join('-')
    .replace(/[^A-Za-z0-9-]/g, '-');
}

async function isAlive({ pid, start }: Holder): Promise<boolean> {
  if (start !== '0') return (await startOf(pid)) === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** When a living process started, from Linux's /proc (proc(5): fields 3 and 22 of stat); a zombie is not alive. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

function nameOf({ machine, pid, start }: Holder): string {
  return `${machine}.${pid}.${start}`;
}

function parseName(name: string): Holder | undefined {
  const match = /^(.+)\.(\d+)\.(\d+)$/.exec(name);
  return match ? { machine: match[1]!, pid: Number(match[2]), start: match[3]! } : undefined;
}
