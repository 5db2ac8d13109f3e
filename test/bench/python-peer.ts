import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What the bench compares with, installed by pip into a folder of its own. */
const REQUIREMENTS = ['torch', 'torchvision', 'transformers', 'peft', 'safetensors', 'pillow', 'num2words'];

/** transformers + PyTorch in a process of their own. */
export interface PythonPeer {
  /** Sends a request and waits for its reply. Rejects when the process dies. */
  ask(request: { readonly verb: string } & Record<string, unknown>): Promise<{ readonly seconds: number }>;
  close(): Promise<void>;
}

/** Makes the virtual environment if it is not there, and starts the peer on `threads` threads. */
export async function startPythonPeer(environment: string, threads: number): Promise<PythonPeer> {
  const python = join(environment, 'bin', 'python');
  if (!existsSync(join(environment, 'ready'))) {
    console.log(`installing ${REQUIREMENTS.join(', ')} into ${environment}`);
    await run('python3', ['-m', 'venv', environment]);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--timeout', '60', ...REQUIREMENTS]);
    await run('touch', [join(environment, 'ready')]);
  }
  const script = new URL('../../bench/transformers_peer.py', import.meta.url).pathname;
  const child = spawn(python, [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, BENCH_THREADS: String(threads), HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
      if (done) throw new Error(`the Python side of the bench ended at ${request.verb}; its message stands above`);
      return JSON.parse(value) as { seconds: number };
    },
    close: () => ended(child, () => child.stdin.end()),
  };
}

function ended(child: ChildProcess, act: () => void): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    act();
  });
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit' });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
