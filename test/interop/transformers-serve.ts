import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../free-port.js';
import { pythonEnvironment } from './python-environment.js';

/** A checkpoint behind `transformers serve`. */
export interface Served {
  /** What comes before `/chat/completions`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Seconds until a small checkpoint is loaded, also on a loaded machine. */
const START = 600;

/** Serves a checkpoint folder in float32 on the CPU. Throws what the server wrote when it does not come up. */
export async function transformersServe(checkpoint: string): Promise<Served> {
  const command = join(dirname(await pythonEnvironment()), 'transformers');
  const port = await freePort();
  const address = ['--host', '127.0.0.1', '--port', String(port)];
  const child = spawn(command, ['serve', checkpoint, ...address, '--device', 'cpu', '--dtype', 'float32'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await isUp(child, `http://127.0.0.1:${port}/health`, () => said);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    async close() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function isUp(child: ChildProcess, url: string, said: () => string): Promise<void> {
  for (const began = performance.now(); performance.now() - began < START * 1000; await pause(500)) {
    if (child.exitCode !== null) break;
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
  }
  child.kill('SIGKILL');
  throw new Error(`transformers serve did not come up: ${said()}`);
}
