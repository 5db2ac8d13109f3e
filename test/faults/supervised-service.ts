import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startMpa } from '@mpa/cli/testing';
import { freePort } from '../free-port.js';

/** Milliseconds after which a supervisor such as Kubernetes starts a process again that has ended. */
const RESTART_MS = 500;

/** How a service's process is started. */
export interface Surroundings {
  /** Address that it listens on; loopback if left out. */
  readonly host?: string;
  /** What runs Node.js, such as `ip netns exec NAME node`. */
  readonly command?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** `mpa serve NAME` in a process of its own, which is started again whenever it ends, at the same address. */
export class SupervisedService {
  #started: ReturnType<typeof startMpa> | undefined;
  #log = '';
  #wanted = false;

  private constructor(
    readonly name: string,
    readonly address: string,
    private readonly configFile: string,
    private readonly surroundings: Surroundings,
  ) {}

  /** Writes its configuration into a new folder of `work`; `start` starts it. */
  static async make(
    name: string,
    config: object,
    work: string,
    surroundings: Surroundings = {},
  ): Promise<SupervisedService> {
    const address = `${surroundings.host ?? '127.0.0.1'}:${await freePort()}`;
    const configFile = join(mkdtempSync(join(work, `${name}-`)), 'config.json');
    // An address beyond loopback is that of a namespace of this machine.
    const exposed = surroundings.host === undefined ? {} : { insecure: true, places: 'any' };
    writeFileSync(configFile, JSON.stringify({ ...config, ...exposed, listen: address }));
    return new SupervisedService(name, address, configFile, surroundings);
  }

  /** All that its processes have written so far. */
  get log(): string {
    return this.#log;
  }

  start(): this {
    this.#wanted = true;
    const started = startMpa(['serve', this.name, '--config', this.configFile], this.surroundings);
    for (const output of [started.child.stdout!, started.child.stderr!]) {
      output.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
    }
    this.#started = started;
    void started.ended.then(async () => {
      await pause(RESTART_MS);
      if (this.#wanted && this.#started === started) this.start();
    });
    return this;
  }

  /** SIGKILL; resolves when the process is gone. The supervisor starts another one. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM, or SIGKILL, and no other one. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#wanted = false;
    await this.#end(signal);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#started?.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
