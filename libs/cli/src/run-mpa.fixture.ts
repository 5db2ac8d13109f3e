import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/mpa.js', import.meta.url));

/** Runs Node.js so that the permissions of files hold for it, also when the tests run as root. */
export const UNPRIVILEGED: readonly string[] =
  process.geteuid?.() === 0
    ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', process.execPath]
    : [process.execPath];

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built `mpa` in a process of its own. */
export function runMpa(...args: string[]): Promise<Ended> {
  return startMpa(args).ended;
}

/** Starts the built `mpa`, to be watched or killed while it works. */
export function startMpa(
  args: readonly string[],
  {
    env = {},
    command = [process.execPath],
    stdin = 'ignore',
  }: { env?: NodeJS.ProcessEnv; command?: readonly string[]; stdin?: 'ignore' | 'pipe' } = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(command[0]!, [...command.slice(1), bin, ...args], {
    stdio: [stdin, 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const output = Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
  return { child, ended: output.then(([stdout, stderr]) => ({ code: child.exitCode, stdout, stderr })) };
}

/** The last line of the output, as the object that it must be. */
export function lastObject({ stdout }: Ended): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
}
