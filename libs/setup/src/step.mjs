const HEARTBEAT_MS = 20_000;

/**
 * Runs one step of set-up, printing its name, a sign of life every 20 seconds, and how long it took.
 * All of it goes to standard error: standard output belongs to the command that set-up makes ready.
 *
 * @template T
 * @param {string} name what is being done, as a phrase
 * @param {() => Promise<T> | T} work
 * @returns {Promise<T>} what `work` returns
 */
export async function step(name, work) {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  say(`${name} ...`);
  const heartbeat = setInterval(() => say(`${name} ... still at it (${seconds()} s)`), HEARTBEAT_MS);
  try {
    const result = await work();
    say(`${name}: done in ${seconds()} s`);
    return result;
  } catch (error) {
    say(`${name}: failed after ${seconds()} s`);
    throw error;
  } finally {
    clearInterval(heartbeat);
  }
}

/** Prints one line of set-up's story to standard error. */
export function say(line) {
  process.stderr.write(`setup | ${line}\n`);
}
