import { spawnSync } from 'node:child_process';
import { runProgram } from './run-program.js';

/**
 * A cable between this machine and a network namespace, by way of a bridge: both ends keep their addresses when it is cut, and what is
 * sent is lost without a word.
 */
export class Cable {
  #isCut = false;

  private constructor(
    private readonly namespace: string,
    private readonly bridge: string,
    private readonly port: string,
    /** This machine's address on it, and that of the namespace. */
    readonly here: string,
    readonly there: string,
  ) {}

  /** @param subnet third number of its addresses, in 10.213.0.0/16 */
  static lay(namespace: string, name: string, subnet: number): Cable {
    const [bridge, port, end] = [`${name}b`, `${name}p`, `${name}e`];
    const [here, there] = [`10.213.${subnet}.1`, `10.213.${subnet}.2`];
    runProgram('ip', 'link', 'add', bridge, 'type', 'bridge');
    runProgram('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', end);
    runProgram('ip', 'link', 'set', end, 'netns', namespace);
    runProgram('ip', 'link', 'set', port, 'master', bridge);
    runProgram('ip', 'address', 'add', `${here}/24`, 'dev', bridge);
    for (const link of [bridge, port]) runProgram('ip', 'link', 'set', link, 'up');
    const within = ['netns', 'exec', namespace, 'ip'];
    runProgram('ip', ...within, 'address', 'add', `${there}/24`, 'dev', end);
    for (const link of [end, 'lo']) runProgram('ip', ...within, 'link', 'set', link, 'up');
    return new Cable(namespace, bridge, port, here, there);
  }

  /** What runs Node.js at its other end. */
  get command(): readonly string[] {
    return ['ip', 'netns', 'exec', this.namespace, process.execPath];
  }

  cut(): void {
    runProgram('ip', 'link', 'set', this.port, 'nomaster');
    this.#isCut = true;
  }

  mend(): void {
    if (this.#isCut) runProgram('ip', 'link', 'set', this.port, 'master', this.bridge);
    this.#isCut = false;
  }

  remove(): void {
    for (const link of [this.port, this.bridge]) runProgram('ip', 'link', 'delete', link);
  }
}

/** Makes a network namespace and has it used; it is gone afterwards. */
export async function inNamespace<T>(use: (namespace: string) => Promise<T>): Promise<T> {
  const namespace = `mpa-faults-${process.pid}`;
  runProgram('ip', 'netns', 'add', namespace);
  try {
    return await use(namespace);
  } finally {
    runProgram('ip', 'netns', 'delete', namespace);
  }
}

/** Why there can be no namespaces here; undefined where there can. */
export function noNamespaces(): string | undefined {
  const name = `mpa-try-${process.pid}`;
  const { status, stderr } = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (status === 0) spawnSync('ip', ['netns', 'delete', name]);
  return status === 0
    ? undefined
    : `there can be no network namespaces: ${stderr?.trim() ?? 'no ip (Debian: iproute2)'}`;
}
