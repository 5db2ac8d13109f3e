import { spawnSync } from 'node:child_process';

/** Runs a program of the system. Throws with what it said when it fails. */
export function runProgram(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
