import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServerState } from './load-server.js';

const script = fileURLToPath(
  new URL(`./load-server${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);
/** What runs our sources, where this file itself is one. */
const execArgv = script.endsWith('.ts') ? ['--conditions=@mpa/source', '--import', 'tsx'] : [];

/** A server in a process of its own, so that its memory can be told. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly address: string,
    readonly healthAddress: string,
  ) {}

  /** @param limits of the service's configuration */
  static async start(limits: object = {}): Promise<ServerProcess> {
    const child = fork(script, [JSON.stringify({ limits })], { execArgv });
    const [state] = (await once(child, 'message')) as [ServerState];
    return new ServerProcess(child, state.address, state.healthAddress);
  }

  /** Throws when the process has ended. */
  state(): Promise<ServerState> {
    return this.#ask('tell');
  }

  /** Bytes by which the most memory over some work is above what there was before it. */
  async growth(work: () => Promise<unknown>): Promise<number> {
    const { peak } = await this.#ask('forget');
    await work();
    return (await this.state()).peak - peak;
  }

  async #ask(what: 'tell' | 'forget'): Promise<ServerState> {
    const ended = (): never => {
      throw new Error(`the server has ended with ${this.child.exitCode}`);
    };
    if (this.child.exitCode !== null) ended();
    const over = new AbortController();
    const told = once(this.child, 'message', over) as Promise<[ServerState]>;
    this.child.send(what);
    try {
      return (await Promise.race([told, once(this.child, 'exit', over).then(ended)]))[0];
    } finally {
      over.abort();
    }
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}
