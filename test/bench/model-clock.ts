import { tracingChannel } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { ModelCall } from '@mpa/telemetry';

/**
 * Loaded into a command by `node --import`: adds up how long at least one model was computing, and writes it with the wall time
 * (both in seconds, from the start of the process) to the file that MPA_MODEL_CLOCK names.
 */
const computing = new Set<unknown>();
let since = 0;
let busy = 0;

function begin(call: unknown): void {
  if (computing.size === 0) since = performance.now();
  computing.add(call);
}

function end(call: unknown): void {
  if (computing.delete(call) && computing.size === 0) busy += performance.now() - since;
}

tracingChannel<'mpa:model', ModelCall>('mpa:model').subscribe({
  start: begin,
  // A synchronous call ends here with its result, an asynchronous one later.
  end: (call) => {
    if ('result' in call) end(call);
  },
  asyncStart: () => undefined,
  asyncEnd: end,
  error: end,
});

if (isMainThread) {
  process.on('exit', () => {
    const times = { busy: busy / 1000, wall: performance.now() / 1000 };
    writeFileSync(process.env['MPA_MODEL_CLOCK']!, JSON.stringify(times));
  });
}
