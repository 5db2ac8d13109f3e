import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { SetupError } from './setup-error.mjs';
import { say } from './step.mjs';

const LOOK_EVERY_MS = 500;
const LONGEST_WAIT_MS = 60 * 60_000;

/**
 * Runs `work` while no other process of this machine does so for the same folder; waits, and says so, while one does.
 * The lock is a listening socket without a file, which the system frees with its process, however that ends. Where
 * there is no such thing (neither Linux nor Windows), nothing is locked.
 *
 * @template T
 * @param {string} folder
 * @param {() => Promise<T>} work
 * @returns {Promise<T>} what `work` returns
 * @throws {SetupError} when another one has not ended within an hour
 */
export async function oneAtATime(folder, work) {
  const address = addressOf(folder);
  if (address === undefined) return work();
  const free = await take(address);
  try {
    return await work();
  } finally {
    await free();
  }
}

function addressOf(folder) {
  const name = `mpa-setup-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
  return { linux: `\0${name}`, win32: `\\\\.\\pipe\\${name}` }[process.platform];
}

async function take(address) {
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    const free = await tryToTake(address);
    if (free) return free;
    if (waited === 0) say('another set-up is at work in this folder; waiting for it');
    if (waited >= LONGEST_WAIT_MS) throw new SetupError('another set-up has not ended within an hour; end it first');
    await pause(LOOK_EVERY_MS);
  }
}

/** The function that gives the lock back, or undefined when another process has it. */
function tryToTake(address) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.unref();
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(() => new Promise((closed) => server.close(closed))));
  });
}
