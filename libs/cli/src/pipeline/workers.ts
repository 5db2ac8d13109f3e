import { lookup } from 'node:dns/promises';
import { createClient, WorkerService, type Client, type ClientOptions } from '@mpa/contracts';

/** One process that works from topic to topic. */
export interface Worker {
  /** host:port */
  readonly address: string;
  readonly client: Client<typeof WorkerService>;
}

/** All addresses that the system knows for a host; throws when there is none. */
export type LookUp = (host: string) => Promise<readonly string[]>;

/** A target in gRPC's naming scheme (its doc/naming.md), without a name server of its own. */
const NAME = /^dns:\/\/\/(.+):(\d+)$/;

/** The processes of a service that share its work. Behind a name (`dns:///host:port`) they may come and go. */
export class Workers {
  readonly #workers = new Map<string, Worker>();

  /**
   * @param addresses host:port of processes, or dns:///host:port for all that a name leads to
   * @param optionsOf how the processes at one of them are reached
   */
  constructor(
    readonly addresses: readonly string[],
    private readonly optionsOf: (address: string) => ClientOptions = () => ({}),
    private readonly lookUp: LookUp = lookUpAll,
  ) {}

  /** Whether others may be there at the next look. */
  get vary(): boolean {
    return this.addresses.some((address) => NAME.test(address));
  }

  /** Those that are there now; a process is the same object at every look. A name that leads nowhere stands for none. */
  async look(): Promise<readonly Worker[]> {
    const found = await Promise.all(this.addresses.map((address) => this.#behind(address)));
    return found.flat();
  }

  /** Hangs up on all of them. */
  close(): void {
    for (const { client } of this.#workers.values()) client.close();
  }

  async #behind(address: string): Promise<readonly Worker[]> {
    const [, host, port] = NAME.exec(address) ?? [];
    const options = this.optionsOf(address);
    if (host === undefined) return [this.#at(address, options)];
    const hosts = await this.lookUp(host).catch(() => []);
    const named = { ...options, serverName: options.serverName ?? host };
    return hosts.map((each) => this.#at(`${each.includes(':') ? `[${each}]` : each}:${port}`, named));
  }

  #at(address: string, options: ClientOptions): Worker {
    const worker = this.#workers.get(address) ?? { address, client: createClient(WorkerService, address, options) };
    this.#workers.set(address, worker);
    return worker;
  }
}

async function lookUpAll(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
