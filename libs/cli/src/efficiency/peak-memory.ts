import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ModelConfig } from '@mpa/inference';
import { CliError } from '../cli-error.js';

/** What the process of {@link peakMemory} is asked to do. */
export interface PeakMemoryRequest {
  readonly model: ModelConfig;
  readonly images: readonly string[];
  readonly question: string;
}

const CHILD = fileURLToPath(new URL('./peak-memory-process.js', import.meta.url));

/**
 * Largest resident memory in bytes of a process of its own that opens the model and answers the question on all images in one batch.
 * Throws CliError when that fails, such as for want of memory.
 */
export async function peakMemory(request: PeakMemoryRequest, signal: AbortSignal): Promise<number> {
  const child = fork(CHILD, { signal, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const message = once(child, 'message', { signal }) as Promise<[number]>;
  const exit = once(child, 'exit', { signal });
  child.send(request);
  const [bytes] = await Promise.race([message, exit.then((): [undefined] => [undefined])]);
  if (bytes === undefined) throw new CliError(`${request.model.checkpoint} could not be measured in a process of its own (${child.signalCode ?? `exit code ${child.exitCode}`})`); // prettier-ignore
  await exit;
  return bytes;
}
