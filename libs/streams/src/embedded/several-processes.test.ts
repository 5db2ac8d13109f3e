import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Streams } from '../streams.js';
import { openEmbeddedStreams } from './embedded-streams.js';

const LEASE_MS = 800;
/** Work that does not end while a test runs: the longest time that a timer takes. */
const NEVER_MS = 2 ** 31 - 1;
const script = join(import.meta.dirname, 'streams-worker.ts');

describe('the embedded log in several processes', () => {
  let folder: string;
  let streams: Streams;
  let workers: Worker[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mpa-streams-'));
    streams = openEmbeddedStreams(folder, { leaseMs: LEASE_MS });
    workers = [];
  });

  afterEach(async () => {
    for (const { process: child } of workers) child.kill('SIGKILL');
    await streams.close();
    await rm(folder, { recursive: true });
  });

  function startWorker(workMs: number, mode: 'wait' | 'block' = 'wait'): Worker {
    const worker = new Worker([folder, 'in', 'out', String(LEASE_MS), String(workMs), mode]);
    workers.push(worker);
    return worker;
  }

  async function produce(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, i) => `id-${i}`);
    await streams.producer.send(
      'in',
      ids.map((id) => ({ key: id, value: Buffer.from(id) })),
    );
    return ids;
  }

  async function outputs(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key, value } of streams.readAll('out')) {
      expect(Buffer.from(value).toString()).toBe(key);
      keys.push(key);
    }
    return keys;
  }

  async function caughtUp(): Promise<void> {
    while ((await streams.lag('workers', 'in')).lag > 0) await pause(20);
  }

  it('has one effect per record while workers are killed again and again', async () => {
    const ids = await produce(600);
    startWorker(10);
    startWorker(10);
    for (let kills = 0; kills < 6; kills++) {
      const victim = workers.at(-2)!;
      await victim.says('working');
      await pause(37 * kills);
      await victim.kill();
      startWorker(10);
    }
    expect((await streams.lag('workers', 'in')).lag).toBeGreaterThan(0);
    await caughtUp();
    expect((await outputs()).sort()).toEqual(ids.sort());
  });

  it('moves the work of a killed worker, and only then', async () => {
    const ids = await produce(8);
    const victim = startWorker(NEVER_MS);
    await victim.says('working');
    const heir = startWorker(1);
    await heir.says('working');
    expect((await streams.lag('workers', 'in')).lag).toBeGreaterThan(0);
    await victim.kill();
    await caughtUp();
    expect((await outputs()).sort()).toEqual(ids.sort());
  });

  it('fences a worker that slept through the loss of its partitions', async () => {
    const ids = await produce(40);
    const sleeper = startWorker(300);
    await sleeper.says('working');
    sleeper.process.kill('SIGSTOP');
    startWorker(1);
    await caughtUp();
    sleeper.process.kill('SIGCONT');
    await sleeper.says('stale');
    expect((await outputs()).sort()).toEqual(ids.sort());
  });

  it('fences a worker whose event loop was blocked, at its very commit', async () => {
    const ids = await produce(8);
    const blocker = startWorker(4 * LEASE_MS, 'block');
    await blocker.says('working');
    startWorker(1);
    await caughtUp();
    await blocker.says('stale');
    expect((await outputs()).sort()).toEqual(ids.sort());
  });
});

/** A child process running streams-worker.ts. */
class Worker {
  readonly process: ChildProcess;
  #said = '';

  constructor(args: string[]) {
    this.process = spawn(process.execPath, ['--import', 'tsx', '--conditions=@mpa/source', script, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.process.stdout!.on('data', (data: Buffer) => (this.#said += data.toString()));
  }

  async says(line: string): Promise<void> {
    while (!this.#said.split('\n').includes(line)) {
      if (this.process.exitCode !== null) throw new Error(`the worker ended with ${this.process.exitCode}`);
      await pause(5);
    }
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
