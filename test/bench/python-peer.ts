import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { pythonEnvironment } from '../interop/python-environment.js';

/** `seconds` of what was timed; `bytes` at the verb `peak`: the most memory that the process has had. */
export interface PeerReply {
  readonly seconds: number;
  readonly bytes: number;
}

/** transformers + PyTorch in a process of their own. */
export interface PythonPeer {
  /** Sends a request and waits for its reply. Rejects when the process dies. */
  ask(request: { readonly verb: string } & Record<string, unknown>): Promise<PeerReply>;
  close(): Promise<void>;
}

/** Starts the peer on `threads` threads. */
export async function startPythonPeer(threads: number): Promise<PythonPeer> {
  const python = await pythonEnvironment();
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
      return JSON.parse(value) as PeerReply;
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
