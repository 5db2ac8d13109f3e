import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Streams } from './streams.js';

/** Sessions of 6 s lapse many times in the longest of them. */
const TEST_MS = 240_000;
/** Work that does not end while a test runs: the longest time that a timer takes. */
const NEVER_MS = 2 ** 31 - 1;
const script = join(import.meta.dirname, 'streams-worker.fixture.ts');

/** A store that other processes can open by its place. */
export interface SharedStore {
  readonly place: string;
  readonly streams: Streams;
  /** Removes the store; the streams are closed by then. */
  remove(): Promise<void>;
}

/**
 * The tests of what holds among processes that are killed, stopped and blocked.
 *
 * @param leaseMs after which a silent worker's partitions go to others; the workers are given it
 */
export function describeSeveralProcesses(name: string, leaseMs: number, makeStore: () => Promise<SharedStore>): void {
  describe(`${name} in several processes`, () => {
    let store: SharedStore;
    let streams: Streams;
    let workers: Worker[];

    beforeEach(async () => {
      store = await makeStore();
      streams = store.streams;
      workers = [];
    });

    afterEach(async () => {
      for (const { process: child } of workers) child.kill('SIGKILL');
      await streams.close();
      await store.remove();
    });

    function startWorker(workMs: number, mode: 'wait' | 'block' = 'wait'): Worker {
      const worker = new Worker([store.place, 'in', 'out', String(leaseMs), String(workMs), mode]);
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

    /** Exactly these, each once; Kafka shows outputs a moment after the position. */
    async function untilWritten(ids: readonly string[]): Promise<void> {
      while ((await outputs()).length < ids.length) await pause(20);
      expect((await outputs()).sort()).toEqual([...ids].sort());
    }

    async function caughtUp(): Promise<void> {
      while ((await streams.lag('workers', 'in')).lag > 0) await pause(20);
    }

    it(
      'has one effect per record while workers are killed again and again',
      async () => {
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
        await untilWritten(ids);
      },
      TEST_MS,
    );

    it(
      'moves the work of a killed worker, and only then',
      async () => {
        const ids = await produce(8);
        const victim = startWorker(NEVER_MS);
        await victim.says('working');
        const heir = startWorker(1);
        await heir.says('working');
        expect((await streams.lag('workers', 'in')).lag).toBeGreaterThan(0);
        await victim.kill();
        await caughtUp();
        await untilWritten(ids);
      },
      TEST_MS,
    );

    it(
      'fences a worker that slept through the loss of its partitions',
      async () => {
        const ids = await produce(40);
        const sleeper = startWorker(300);
        await sleeper.says('working');
        sleeper.process.kill('SIGSTOP');
        startWorker(1);
        await caughtUp();
        sleeper.process.kill('SIGCONT');
        await sleeper.says('stale');
        await untilWritten(ids);
      },
      TEST_MS,
    );

    it(
      'fences a worker whose event loop was blocked, at its very commit',
      async () => {
        const ids = await produce(8);
        const blocker = startWorker(3 * leaseMs, 'block');
        await blocker.says('working');
        startWorker(1);
        await caughtUp();
        await blocker.says('stale');
        await untilWritten(ids);
      },
      TEST_MS,
    );
  });
}

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
